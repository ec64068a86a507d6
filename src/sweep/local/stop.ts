/** The signals that end a sweep early, and the exit codes that report them. */
export const stopCodes = { SIGINT: 130, SIGTERM: 143, SIGUSR2: 75 } as const;

export type StopSignal = keyof typeof stopCodes;

/** Ctrl-C under `npx` or `npm run` arrives twice, from the terminal and from npm: no second wish within this time. */
const echo = 100;

/**
 * Calls `first` at the first signal; at a later one `second`, and then ends the process with that signal's code.
 *
 * @returns what takes the listeners away again
 */
export function listenForStop(on: { first(signal: StopSignal): void; second(): void }): () => void {
  let firstAt: number | undefined;
  const signals = Object.keys(stopCodes) as StopSignal[];
  const handle = (signal: NodeJS.Signals) => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      on.first(signal as StopSignal);
    } else if (performance.now() - firstAt > echo) {
      on.second();
      process.exit(stopCodes[signal as StopSignal]);
    }
  };
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}
