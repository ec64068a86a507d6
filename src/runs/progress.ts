/** How far a run is, and the running sums of a row of its curves: what a checkpoint holds beside the variables. */
export interface TrainingProgress {
  /** Steps done since the run's start. */
  step: number;
  /** Sum over the row's steps of their mean losses. */
  loss: number;
  /** The same of what else the task logs: losses as sums of means, counts as sums over the row's examples. */
  sums: Record<string, number>;
  /** Seconds of this row in its steps, and within them waiting for data. */
  trainSeconds: number;
  waitSeconds: number;
  /** The same over the rows before. */
  earlierTrainSeconds: number;
  earlierWaitSeconds: number;
  /** Seconds since the run's start, summed over resumes. */
  seconds(): number;
}

const summed = ['loss', 'trainSeconds', 'waitSeconds', 'earlierTrainSeconds', 'earlierWaitSeconds'] as const;

/** A checkpoint's name for a sum: `errors`. */
const plural = (name: string) => `${name}s`;

/**
 * A new run's progress, or that of a checkpoint's `sums`.
 *
 * @param logged names of what the task logs beside its loss
 */
export function createProgress(
  logged: readonly string[],
  step = 0,
  saved: Record<string, number> = {},
): TrainingProgress {
  const before = saved.seconds ?? 0;
  const started = performance.now();
  const values = Object.fromEntries(summed.map((key) => [key, saved[key] ?? 0])) as Record<
    (typeof summed)[number],
    number
  >;
  return {
    step,
    ...values,
    sums: Object.fromEntries(logged.map((name) => [name, saved[plural(name)] ?? 0])),
    seconds: () => before + (performance.now() - started) / 1000,
  };
}

/** The numbers to store in a checkpoint. */
export function progressSums(progress: TrainingProgress): Record<string, number> {
  const ofTask = Object.entries(progress.sums).map(([name, sum]) => [plural(name), sum]);
  return {
    ...Object.fromEntries(summed.map((key) => [key, progress[key]])),
    ...Object.fromEntries(ofTask),
    seconds: progress.seconds(),
  };
}

/** Closes the sums of the row before. */
export function startRow(progress: TrainingProgress): void {
  progress.earlierTrainSeconds += progress.trainSeconds;
  progress.earlierWaitSeconds += progress.waitSeconds;
  progress.loss = 0;
  for (const name of Object.keys(progress.sums)) progress.sums[name] = 0;
  progress.trainSeconds = 0;
  progress.waitSeconds = 0;
}
