import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadedEngine, LoadOptions } from './load.js';

/** A loaded engine, described by itself. */
export type Probe = Pick<LoadedEngine, 'variant' | 'source' | 'tensorflow' | 'device'> & {
  /** The kernels of gnbench's own that this device has. */
  kernels: { name: string; limits: string }[];
  /** The instructions that they compute float32 with. */
  instructionSet?: string;
};

/**
 * Loads the engine and computes with it in a process of its own, whose crash (a library of another machine, an
 * illegal instruction) is then an answer too.
 * @param limit the milliseconds that it may take
 * @throws Error with the child's last words when it fails, or that it took longer
 */
export function probeEngine(options: LoadOptions, limit = 120_000): Promise<Probe> {
  const script = fileURLToPath(new URL('./probe-child.js', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, JSON.stringify({ ...options, fallback: true })], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limit,
    });
    let printed = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (options.debug) process.stderr.write(text);
      complaint = (complaint + text).slice(-20_000);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (child.killed)
        return reject(new Error(`it took longer than ${limit / 1000} s to load and to compute`));
      if (code === 0) return resolve(JSON.parse(printed.trim().split('\n').at(-1)!));
      // Node names the place of what was thrown before it says what: a file may be called error, too.
      const lines = complaint.split('\n');
      const thrown = lines.find((line) => /^\w*Error\b/.test(line));
      const reason = thrown ?? lines.find((line) => /error/i.test(line)) ?? complaint.trim();
      reject(new Error(signal ? `it ended by ${signal}` : reason || `it ended with exit code ${code}`));
    });
  });
}
