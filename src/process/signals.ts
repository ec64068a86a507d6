/** Stopping on request: the running step ends, a checkpoint is written, the exit code tells which signal it was. */

export interface Stop {
  signal: NodeJS.Signals;
  exitCode: 130 | 143 | 75;
}

/** SIGUSR2 is what Slurm is asked to send ahead of the time limit; 75 (EX_TEMPFAIL) says "run me again". */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGUSR2: 75 } as const;
const signals = Object.keys(exitCodes) as (keyof typeof exitCodes)[];

/** Ctrl-C under `npx` or `npm run` arrives twice, from the terminal and from npm: no second wish within this time. */
const echo = 100;

/**
 * Listens for SIGINT, SIGTERM and SIGUSR2. The first is kept for `requested`, and `notify` hears of it; a second one
 * ends the process at once. Handlers only run between turns of the event loop: yield to `setImmediate` each step.
 */
export function onStop(notify?: (stop: Stop) => void): { requested(): Stop | undefined; dispose(): void } {
  let stop: Stop | undefined;
  let since = 0;
  const handle = (signal: NodeJS.Signals) => {
    const exitCode = exitCodes[signal as keyof typeof exitCodes];
    if (!stop) {
      stop = { signal, exitCode };
      since = performance.now();
      notify?.(stop);
    } else if (signal !== stop.signal || performance.now() - since > echo) {
      process.exit(exitCode);
    }
  };
  for (const signal of signals) process.on(signal, handle);
  return {
    requested: () => stop,
    dispose: () => {
      for (const signal of signals) process.off(signal, handle);
    },
  };
}
