/** Stopping on request: what runs is saved, and the exit code tells which signal asked. */
import type { EventEmitter } from 'node:events';
import { isatty } from 'node:tty';

/** Exit codes of a process that a signal ended: 128 and the signal's number; 75 (EX_TEMPFAIL) says "run me again". */
export const exitCodes = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
  /** The signal that other tools ask a cluster for; Node would open its debugger. */
  SIGUSR1: 75,
  /** Slurm is asked to send it ahead of the time limit. */
  SIGUSR2: 75,
} as const;

/** The signals that ask a run or a sweep to save and stop. */
export const stopSignals = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;
export type StopSignal = (typeof stopSignals)[number];

export interface Stop {
  signal: StopSignal;
  exitCode: (typeof exitCodes)[StopSignal];
}

/** Ctrl-C under `npx` or `npm run` arrives twice, from the terminal and from npm: no second wish within this time. */
const echo = 100;

/** The process, or what a test puts in its place. */
export interface SignalSource {
  signals: EventEmitter;
  now(): number;
  /** True when stdin, stdout or stderr is a terminal. */
  terminal: boolean;
  exit(code: number): void;
}

const thisProcess: SignalSource = {
  signals: process,
  now: () => performance.now(),
  terminal: [0, 1, 2].some((descriptor) => isatty(descriptor)),
  exit: (code) => process.exit(code),
};

/**
 * Calls `first` at the first signal; at a second one, or at once at another one, `second`, and then ends the process
 * with that signal's code. A terminal that closes sends SIGHUP, once or several times: one wish. Without a terminal
 * (nohup, a service, a batch job) SIGHUP is nobody's wish and is ignored; Node forgets that nohup told it so.
 *
 * @returns what takes the listeners away again
 */
export function listenForStop(
  on: { first(stop: Stop): void; second?(): void },
  { signals, now, terminal, exit }: SignalSource = thisProcess,
): () => void {
  let asked: { signal: StopSignal; at: number } | undefined;
  const handle = (signal: StopSignal) => {
    if (signal === 'SIGHUP' && (!terminal || asked)) return;
    if (!asked) {
      asked = { signal, at: now() };
      on.first({ signal, exitCode: exitCodes[signal] });
    } else if (signal !== asked.signal || now() - asked.at > echo) {
      on.second?.();
      exit(exitCodes[signal]);
    }
  };
  for (const signal of stopSignals) signals.on(signal, handle);
  return () => {
    for (const signal of stopSignals) signals.off(signal, handle);
  };
}

/**
 * Keeps the first stop signal for `requested`; `notify` hears of it, and a second one ends the process at once.
 * Handlers only run between turns of the event loop: yield to `setImmediate` each step.
 */
export function onStop(notify?: (stop: Stop) => void): { requested(): Stop | undefined; dispose(): void } {
  let stop: Stop | undefined;
  const dispose = listenForStop({
    first: (asked) => {
      stop = asked;
      notify?.(asked);
    },
  });
  return { requested: () => stop, dispose };
}
