import { spawn } from 'node:child_process';

export interface CommandResult {
  /** The exit code; undefined when a signal ended it. */
  code?: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** Also shows what it prints, on stderr. */
  debug?: boolean;
}

/** As much of a program's output as is kept. */
const limit = 200_000;

/**
 * Runs a program with arguments (never through a shell) and returns what it printed, the last 200 kB of each.
 * @throws the system's error (`ENOENT`, …) when it cannot be started, an `AbortError` when `signal` fires.
 */
export function runCommand(
  file: string,
  args: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env,
      signal: options.signal,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (options.debug) process.stderr.write(text);
        printed[name] = (printed[name] + text).slice(-limit);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? undefined, ...printed }));
  });
}

/** The last lines of a program's output that are worth quoting in an error. */
export function lastLines(text: string, count: number): string {
  return text.trim().split('\n').slice(-count).join('\n');
}
