import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { exitCodes, stopSignals } from '../process/signals.js';
import { summaryOf } from '../runs/summary.js';
import type { AttemptResult } from './attempts.js';

/** How a child process ended. */
export interface ChildExit {
  /** ISO 8601. */
  startedAt: string;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** The last step that it told of. */
  step?: number;
  log: string;
  /** True when the kernel ended a process for lack of memory while the run went on. */
  memoryKill: boolean;
}

/** Exit codes of a run that saved when it was asked to, and signals that ended one which could not. */
const interruptedCodes = new Set<number>(stopSignals.map((signal) => exitCodes[signal]));
const interruptingSignals = new Set<NodeJS.Signals>(stopSignals);
const diskFull = /ENOSPC|EDQUOT/;
const outOfMemory =
  /heap out of memory|bad_alloc|OOM when allocating|RESOURCE_EXHAUSTED|ENOMEM|Cannot allocate memory/;

/** Judges a run by how its process ended and by what it left in its folder. */
export function judge(runFolder: string, ending: ChildExit): AttemptResult {
  const { exitCode, signal } = ending;
  const summary = summaryOf(runFolder);
  // An earlier attempt's failure stays in the summary until training begins.
  const failure = (summary?.finishedAt ?? '') >= ending.startedAt ? summary?.failure : undefined;
  const ended = {
    step: failure?.step ?? ending.step ?? summary?.steps.done,
    ...(signal ? { signal } : { exitCode: exitCode ?? undefined }),
  };
  const told = lastError(ending.log);
  if (exitCode === 0) {
    if (summary?.status === 'completed') return { kind: 'completed', step: summary.steps.done, exitCode };
    return { kind: 'crashed', ...ended, message: 'ended without a completed summary' };
  }
  if (exitCode !== null && interruptedCodes.has(exitCode)) return { kind: 'interrupted', ...ended };
  if (signal && interruptingSignals.has(signal)) return { kind: 'interrupted', ...ended };
  if (exitCode === 2) return { kind: 'refused', ...ended, message: told };
  if (summary?.status === 'diverged' && exitCode === 1) {
    const step = summary.divergedAtStep ?? summary.steps.done;
    return { kind: 'diverged', ...ended, step, message: `the loss is no longer finite at step ${step}` };
  }
  const words = `${tail(ending.log)}\n${failure?.message ?? ''}`;
  if (diskFull.test(words)) return { kind: 'disk full', ...ended, message: told };
  if (outOfMemory.test(words)) {
    return { kind: 'out of memory', ...ended, message: told ?? failure?.message };
  }
  if (signal === 'SIGKILL') {
    return ending.memoryKill
      ? { kind: 'out of memory', ...ended, message: 'ended by the kernel: the machine is out of memory' }
      : { kind: 'killed', ...ended, message: 'killed from outside' };
  }
  return {
    kind: 'crashed',
    ...ended,
    message: failure?.message ?? told ?? `ended with ${signal ?? exitCode}`,
  };
}

/** The last line of its log that speaks of an error, without the word itself in front. */
function lastError(log: string): string | undefined {
  const line = tail(log)
    .split('\n')
    .findLast((text) => /error/i.test(text));
  return line
    ?.trim()
    .replace(/^error: /, '')
    .slice(0, 500);
}

/** The last 8 kB of what the last attempt wrote into its log, which begins with a line of its own. */
function tail(file: string): string {
  try {
    const handle = openSync(file, 'r');
    try {
      const buffer = Buffer.alloc(Math.min(8192, fstatSync(handle).size));
      readSync(handle, buffer, 0, buffer.length, fstatSync(handle).size - buffer.length);
      const text = buffer.toString('utf8');
      return text.slice(text.lastIndexOf('\n--- ') + 1);
    } finally {
      closeSync(handle);
    }
  } catch {
    return '';
  }
}

/** How many processes the kernel has ended for want of memory since the machine started; 0 where it doesn't say. */
export function memoryKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
