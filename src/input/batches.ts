import type { Dataset } from '../datasets/dataset.js';
import type { BatchJob, DecodeJob, TrainBatchesOptions } from './jobs.js';
import { type PreparedBatch, prepareIn } from './prepared.js';
import { createRing } from './ring.js';

export type { TrainBatchesOptions } from './jobs.js';

export interface TrainBatches {
  /**
   * The next step's images, [batch, height, width, channels] uint8, and labels, [batch]. Both are views into the ring,
   * valid until the following call. Blocks while the batch is not ready.
   *
   * @throws what went wrong in the worker, or when all steps have been taken
   */
  next(): PreparedBatch;
  /** How long `next` has blocked in all, start-up included. */
  readonly waitedMs: number;
  close(): Promise<void>;
}

/**
 * Batches prepared ahead of the step by a worker thread. Batch `step` is a pure function of the options: epoch
 * `floor(step / stepsPerEpoch) + 1`, in `epochOrder` of (seed, epoch), each image augmented by (seed, epoch, index).
 */
export function openTrainBatches(dataset: Dataset, options: TrainBatchesOptions): TrainBatches {
  const { batchSize, stepsPerEpoch, firstStep, totalSteps } = options;
  const { train, shape, mean, decoding } = dataset;
  if (batchSize * stepsPerEpoch > train.count) {
    throw new RangeError(`an epoch of ${stepsPerEpoch} × ${batchSize} images, but there are ${train.count}`);
  }
  const ring = createRing(batchSize * shape[0] * shape[1] * shape[2], batchSize);
  const { images, labels, files } = train;
  const fromMemory: BatchJob = { ...options, ring, shape, mean, images, labels };
  const fromDisk: DecodeJob | undefined = files &&
    decoding && { ...options, ring, shape, labels, files, decoding, train: true };
  const prepared = fromDisk
    ? prepareIn('./decode-worker.js', fromDisk)
    : prepareIn('./batch-worker.js', fromMemory);
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
