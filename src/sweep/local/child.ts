import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StartableRun } from '../../experiments/experiment.js';
import { fileError } from '../../storage/files.js';
import type { Outcome } from '../attempts.js';
import { judge, memoryKills } from '../outcome.js';
import { keepPriority } from './priority.js';
import type { Share } from './share.js';

/** The message that `gnbench run` sends about once a second and after every epoch. */
export interface RunProgress {
  type: 'progress';
  epoch: number;
  step: number;
  totalSteps: number;
  loss?: number;
  validation?: string;
  imagesPerSecond?: number;
}

/** The program that does a run, and its leading arguments. A test puts its own in. */
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
  /** The cell's config, snapshotted. */
  config: string;
  share: Share;
  /** Passed on: `--data DIR`, `--debug` and the like. */
  flags: readonly string[];
  onProgress(progress: RunProgress): void;
}

/** One run in a process of its own: the engine can't be loaded twice in one, and what fails there fails alone. */
export interface RunningChild {
  run: StartableRun;
  /** Never rejects once the process has started. */
  ended: Promise<Outcome>;
  /** Asks it to save and stop. */
  stop(signal: NodeJS.Signals): void;
  kill(): void;
}

export function startRun(run: StartableRun, options: ChildOptions): RunningChild {
  const { command, share } = options;
  const log = `${run.folder}.log`;
  const output = openLog(log, run);
  const killsBefore = memoryKills();
  const overrides = [`seed=${run.seed}`, ...share.overrides].flatMap((override) => ['--set', override]);
  const child: ChildProcess = fork(
    command.script,
    [
      ...command.args,
      options.config,
      '--out',
      run.folder,
      '--resume',
      '--quiet',
      ...overrides,
      ...options.flags,
    ],
    {
      execArgv: [],
      env: { ...process.env, ...share.env },
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
  const ended = new Promise<Outcome>((resolve) => {
    child.once('error', (error) => resolve({ kind: 'crashed', message: error.message }));
    child.once('exit', (exitCode, signal) =>
      resolve(judge(run.folder, { exitCode, signal, step, log, memoryKill: memoryKills() > killsBefore })),
    );
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
    mkdirSync(dirname(file), { recursive: true });
    const handle = openSync(file, 'a');
    writeSync(handle, `--- ${new Date().toISOString()} ${run.cell.key} seed ${run.seed}\n`);
    return handle;
  } catch (error) {
    throw fileError(error, 'could not open the log of a run', file);
  }
}

function isProgress(message: unknown): message is RunProgress {
  return (
    typeof message === 'object' &&
    message !== null &&
    (message as { type?: unknown }).type === 'progress' &&
    typeof (message as { step?: unknown }).step === 'number'
  );
}
