import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StartableRun } from '../../experiments/experiment.js';
import type { ProgressMessage } from '../../runs/reporter.js';
import { diskFileSystem, makeFolders } from '../../storage/files.js';
import { fileError } from '../../storage/system-errors.js';
import type { AttemptResult } from '../attempts.js';
import { judge, memoryKills } from '../outcome.js';
import { keepPriority } from './priority.js';
import type { ResourceSlice } from './share.js';

/** The program that a run is started with, and its leading arguments. Tests use one of their own. */
export interface RunCommand {
  script: string;
  args: readonly string[];
}

export const gnbenchRun: RunCommand = {
  script: fileURLToPath(new URL('../../../bin/gnbench.js', import.meta.url)),
  args: ['run'],
};

export interface ChildOptions {
  command: RunCommand;
  /** The snapshot of the cell's config. */
  config: string;
  resources: ResourceSlice;
  /** Passed on: `--data DIR`, `--debug` and the like. */
  flags: readonly string[];
  onProgress(progress: ProgressMessage): void;
}

/** A run in a process of its own: the engine cannot be loaded twice in one, and a failure stays alone. */
export interface RunningChild {
  run: StartableRun;
  /** Never rejects once the process has started. */
  ended: Promise<AttemptResult>;
  /** Asks it to save and stop. */
  stop(signal: NodeJS.Signals): void;
  kill(): void;
}

export function startRun(run: StartableRun, options: ChildOptions): RunningChild {
  const { command, resources } = options;
  const log = `${run.folder}.log`;
  const output = openLog(log, run);
  const killsBefore = memoryKills();
  const startedAt = new Date().toISOString();
  const overrides = [`seed=${run.seed}`, ...resources.overrides].flatMap((override) => ['--set', override]);
  const child: ChildProcess = fork(
    command.script,
    [
      ...command.args,
      options.config,
      '--out',
      run.folder,
      '--resume',
      '--quiet',
      '--same-data-in',
      dirname(dirname(run.folder)),
      ...overrides,
      ...options.flags,
    ],
    {
      execArgv: [],
      env: { ...process.env, ...resources.env },
      // To a file, not to a pipe: a child that outlives its parent must not die of a broken pipe before it has saved.
      stdio: ['ignore', output, output, 'ipc'],
      // A group of its own: Ctrl-C in a terminal reaches the sweep alone, which tells each child once.
      detached: true,
    },
  );
  closeSync(output);
  if (child.pid !== undefined) keepPriority(child.pid);
  let step: number | undefined;
  child.on('message', (message) => {
    if (!isProgress(message)) return;
    step = message.step;
    options.onProgress(message);
  });
  const ended = new Promise<AttemptResult>((resolve) => {
    child.once('error', (error) => resolve({ kind: 'crashed', message: error.message }));
    child.once('exit', (exitCode, signal) => {
      const memoryKill = memoryKills() > killsBefore;
      resolve(judge(run.folder, { startedAt, exitCode, signal, step, log, memoryKill }));
    });
  });
  return {
    run,
    ended,
    stop: (signal) => void child.kill(signal),
    kill: () => void child.kill('SIGKILL'),
  };
}

function openLog(file: string, run: StartableRun): number {
  try {
    makeFolders(dirname(file));
    const handle = diskFileSystem.open(file, 'append');
    writeSync(handle, `--- ${new Date().toISOString()} ${run.cell.key} seed ${run.seed}\n`);
    return handle;
  } catch (error) {
    throw fileError(error, 'could not open the log of a run', file);
  }
}

function isProgress(message: unknown): message is ProgressMessage {
  return (
    typeof message === 'object' &&
    message !== null &&
    (message as { type?: unknown }).type === 'progress' &&
    typeof (message as { step?: unknown }).step === 'number'
  );
}
