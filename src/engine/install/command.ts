import { type ChildProcess, spawn } from 'node:child_process';

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
 * @throws the system's error (`ENOENT`, …) when it cannot be started, `signal`'s reason when it fires.
 */
export function runCommand(
  file: string,
  args: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { cwd, env, signal } = options;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    // A group of its own: what the program has started in turn (g++ the real compiler) ends with it.
    const detached = process.platform !== 'win32';
    const child = spawn(file, args, { cwd, env, detached, stdio: ['ignore', 'pipe', 'pipe'] });
    const onAbort = () => end(child, detached);
    signal?.addEventListener('abort', onAbort);
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (options.debug) process.stderr.write(text);
        printed[name] = (printed[name] + text).slice(-limit);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      signal?.removeEventListener('abort', onAbort);
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code: code ?? undefined, ...printed });
    });
  });
}

function end(child: ChildProcess, group: boolean) {
  if (child.pid === undefined) return;
  try {
    process.kill(group ? -child.pid : child.pid, 'SIGTERM');
  } catch {
    // it has ended by itself
  }
}

/** The last lines of a program's output that are worth quoting in an error. */
export function lastLines(text: string, count: number): string {
  return text.trim().split('\n').slice(-count).join('\n');
}
