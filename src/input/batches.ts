import type { Dataset } from '../datasets/dataset.js';
import type { PhotoJob } from './decode-worker.js';
import { type PreparedBatch, prepareIn } from './prepared.js';
import { createRing, type Ring } from './ring.js';

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

export interface TrainBatchesOptions {
  seed: number;
  /** Images a step: all workers' together. */
  batchSize: number;
  /** Steps count from 0 over all epochs; a resumed run begins at its checkpoint's. */
  firstStep: number;
  stepsPerEpoch: number;
  totalSteps: number;
  augment: boolean;
}

/** What the worker is started with. */
export interface BatchJob extends TrainBatchesOptions, Pick<Dataset, 'shape' | 'mean'> {
  ring: Ring;
  images: Uint8Array;
  labels: Int32Array;
}

/**
 * Batches prepared ahead of the step by a worker thread. Batch `step` is a pure function of the options: epoch
 * `floor(step / stepsPerEpoch) + 1`, in `epochOrder` of (seed, epoch), each image augmented by (seed, epoch, index).
 */
export function openTrainBatches(dataset: Dataset, options: TrainBatchesOptions): TrainBatches {
  const { batchSize, stepsPerEpoch, firstStep, totalSteps } = options;
  const { train, shape, mean, photography } = dataset;
  if (batchSize * stepsPerEpoch > train.count) {
    throw new RangeError(`an epoch of ${stepsPerEpoch} × ${batchSize} images, but there are ${train.count}`);
  }
  const ring = createRing(batchSize * shape[0] * shape[1] * shape[2], batchSize);
  const { images, labels, photos } = train;
  const fromMemory: BatchJob = { ...options, ring, shape, mean, images, labels };
  const fromDisk: PhotoJob | undefined = photos &&
    photography && { ...options, ring, shape, labels, photos, photography, train: true };
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
