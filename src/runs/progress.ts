/** How far a run is, and the epoch's running sums: what a checkpoint holds beside the variables. */
export interface Progress {
  /** Steps done since the run's start. */
  step: number;
  /** Sum over the epoch's steps of their mean losses. */
  loss: number;
  /** Images that were classified wrongly in the epoch so far. */
  errors: number;
  /** Of this epoch: in its steps, and within them waiting for data. */
  trainSeconds: number;
  waitSeconds: number;
  /** The same over the epochs before. */
  earlierTrainSeconds: number;
  earlierWaitSeconds: number;
  /** Since the run's start, summed over resumes. */
  seconds(): number;
}

const summed = [
  'loss',
  'errors',
  'trainSeconds',
  'waitSeconds',
  'earlierTrainSeconds',
  'earlierWaitSeconds',
] as const;

/** A new run's progress, or that of a checkpoint's `sums`. */
export function createProgress(step = 0, sums: Record<string, number> = {}): Progress {
  const before = sums.seconds ?? 0;
  const started = performance.now();
  const values = Object.fromEntries(summed.map((key) => [key, sums[key] ?? 0])) as Record<
    (typeof summed)[number],
    number
  >;
  return { step, ...values, seconds: () => before + (performance.now() - started) / 1000 };
}

/** The numbers to store in a checkpoint. */
export function progressSums(progress: Progress): Record<string, number> {
  return { ...Object.fromEntries(summed.map((key) => [key, progress[key]])), seconds: progress.seconds() };
}

/** Closes the sums of the epoch before. */
export function startEpoch(progress: Progress): void {
  progress.earlierTrainSeconds += progress.trainSeconds;
  progress.earlierWaitSeconds += progress.waitSeconds;
  progress.loss = 0;
  progress.errors = 0;
  progress.trainSeconds = 0;
  progress.waitSeconds = 0;
}
