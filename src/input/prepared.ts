import { Worker } from 'node:worker_threads';
import { closed, closeRing, type Ring, release, state, waitForBatch } from './ring.js';

export interface PreparedBatch {
  /** [batch, height, width, channels], uint8. */
  images: Uint8Array;
  /** [batch]. */
  labels: Int32Array;
}

/** The consumer's side of a ring that a worker thread fills. */
export interface Prepared {
  /**
   * The next batch: views into the ring, valid until the following call. Blocks while it is not ready.
   *
   * @param size images in it; the ring's batch size unless it is the last one of a split
   * @throws what went wrong in the worker
   */
  next(size?: number): PreparedBatch;
  /** How long `next` has blocked in all, start-up included. */
  readonly waitedMs: number;
  close(): Promise<void>;
}

// A worker that is told to stop finishes the batch that it is at: image files may still be in the decoder's hands.
const patienceMs = 5_000;

/** Starts the worker `file` of this folder, which fills `job.ring` with batches of `batchSize` images. */
export function prepareIn(
  file: string,
  job: { ring: Ring; batchSize: number; shape: readonly number[] },
): Prepared {
  const { ring, batchSize, shape } = job;
  const imageBytes = shape.reduce((product, extent) => product * extent, 1);
  // No options of the main thread (loaders, test runners): they would be loaded again.
  const worker = new Worker(new URL(file, import.meta.url), { workerData: job, execArgv: [] });
  worker.unref();
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  // A worker reports what goes wrong through the ring; this is for one that could not even start.
  let broken: Error | undefined;
  worker.on('error', (error) => {
    broken = error;
  });
  let taken = 0;
  let waitedMs = 0;
  return {
    next(size = batchSize) {
      if (broken) throw broken;
      if (Atomics.load(ring.control, state) === closed) throw new Error('these batches have been closed');
      if (taken > 0) release(ring);
      waitedMs += waitForBatch(ring, taken);
      const first = (taken++ % ring.slots) * batchSize;
      return {
        images: ring.images.subarray(first * imageBytes, (first + size) * imageBytes),
        labels: ring.labels.subarray(first, first + size),
      };
    },
    get waitedMs() {
      return waitedMs;
    },
    async close() {
      closeRing(ring);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patienceMs);
      });
      await Promise.race([ended, late]);
      clearTimeout(timer);
      await worker.terminate();
    },
  };
}
