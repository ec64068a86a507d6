import { Worker } from 'node:worker_threads';
import type { Dataset } from './dataset.js';
import { closed, closeRing, createRing, type Ring, release, state, waitForBatch } from './ring.js';

export interface TrainBatches {
  /**
   * The next step's images, [batch, height, width, channels] uint8, and labels, [batch]. Both are views into the ring,
   * valid until the following call. Blocks while the batch is not ready.
   *
   * @throws what went wrong in the worker, or when all steps have been taken
   */
  next(): { images: Uint8Array; labels: Int32Array };
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
export interface BatchJob extends TrainBatchesOptions {
  ring: Ring;
  images: Uint8Array;
  labels: Int32Array;
  shape: [number, number, number];
  mean: number[];
}

/**
 * Batches prepared ahead of the step by a worker thread. Batch `step` is a pure function of the options: epoch
 * `floor(step / stepsPerEpoch) + 1`, in `epochOrder` of (seed, epoch), each image augmented by (seed, epoch, index).
 */
export function openTrainBatches(dataset: Dataset, options: TrainBatchesOptions): TrainBatches {
  const { batchSize, stepsPerEpoch, firstStep, totalSteps } = options;
  const { train, shape, mean } = dataset;
  if (batchSize * stepsPerEpoch > train.count) {
    throw new RangeError(`an epoch of ${stepsPerEpoch} × ${batchSize} images, but there are ${train.count}`);
  }
  const imageBytes = shape[0] * shape[1] * shape[2];
  const ring = createRing(batchSize * imageBytes, batchSize);
  const job: BatchJob = { ...options, ring, images: train.images, labels: train.labels, shape, mean };
  // No options of the main thread (loaders, test runners): they would be loaded again.
  const worker = new Worker(new URL('./batch-worker.js', import.meta.url), { workerData: job, execArgv: [] });
  worker.unref();
  // The worker reports what went wrong through the ring; this one is seen only when it could not even start.
  let broken: Error | undefined;
  worker.on('error', (error) => {
    broken = error;
  });

  const slots = Array.from({ length: ring.slots }, (_, slot) => ({
    images: ring.images.subarray(slot * batchSize * imageBytes, (slot + 1) * batchSize * imageBytes),
    labels: ring.labels.subarray(slot * batchSize, (slot + 1) * batchSize),
  }));
  let taken = 0;
  let waitedMs = 0;
  return {
    next() {
      if (broken) throw broken;
      if (Atomics.load(ring.control, state) === closed) throw new Error('these batches have been closed');
      if (firstStep + taken >= totalSteps) throw new RangeError(`all ${totalSteps} steps have been taken`);
      if (taken > 0) release(ring);
      waitedMs += waitForBatch(ring, taken);
      return slots[taken++ % ring.slots];
    },
    get waitedMs() {
      return waitedMs;
    },
    async close() {
      closeRing(ring);
      await worker.terminate();
    },
  };
}
