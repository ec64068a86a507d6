import type { Batch } from './batch.js';
import type { SourceDescription } from './example-source.js';
import type { BatchJob, TrainBatchesOptions } from './jobs.js';
import { prepare } from './prepared.js';
import { createRing } from './ring.js';

export type { TrainBatchesOptions } from './jobs.js';

export interface TrainBatches {
  /**
   * The next step's arrays: views into the ring, valid until the following call. Blocks while the batch is not ready.
   *
   * @throws what went wrong in the worker, or when all steps have been taken
   */
  next(): Batch;
  /** How long `next` has blocked in all, start-up included. */
  readonly waitedMs: number;
  close(): Promise<void>;
}

/**
 * Batches prepared ahead of the step by a worker thread. Batch `step` is a pure function of the options: epoch
 * `floor(step / stepsPerEpoch) + 1`, in `epochOrder` of (seed, epoch), each example augmented by (seed, epoch, index).
 */
export function openTrainBatches(source: SourceDescription, options: TrainBatchesOptions): TrainBatches {
  const { batchSize, stepsPerEpoch, firstStep, totalSteps } = options;
  if (batchSize * stepsPerEpoch > source.count) {
    throw new RangeError(`an epoch of ${stepsPerEpoch} × ${batchSize} images, but there are ${source.count}`);
  }
  const ring = createRing(source.spec, batchSize);
  const job: BatchJob = { ...options, ring, source: withoutArrays(source), train: true };
  const prepared = prepare(job);
  let step = firstStep;
  return {
    next() {
      if (step >= totalSteps) throw new RangeError(`all ${totalSteps} steps have been taken`);
      const batch = prepared.next();
      step++;
      return batch;
    },
    get waitedMs() {
      return prepared.waitedMs;
    },
    close: () => prepared.close(),
  };
}

/** A worker opens the source anew: it needs no second mention of its arrays, and none of the truth. */
export const withoutArrays = ({ resident: _, truth: __, ...source }: SourceDescription): SourceDescription =>
  source;
