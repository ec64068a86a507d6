import { Worker } from 'node:worker_threads';
import { type Batch, slice } from './batch.js';
import type { BatchJob } from './jobs.js';
import { closed, closeRing, release, state, waitForBatch } from './ring.js';

/** The consumer's side of a ring that a worker thread fills. */
export interface PreparedBatches {
  /**
   * The next batch: views into the ring, valid until the following call. Blocks while it is not ready.
   *
   * @param size rows in it; the ring's batch size unless it is the last one of a split
   * @throws what went wrong in the worker
   */
  next(size?: number): Batch;
  /** How long `next` has blocked in all, start-up included. */
  readonly waitedMs: number;
  close(): Promise<void>;
}

// A worker that is told to stop finishes the batch that it is at: image files may still be in the decoder's hands.
const patienceMs = 5_000;

/** Starts the worker that fills `job.ring` with batches of `batchSize` rows. */
export function prepare(job: BatchJob): PreparedBatches {
  const { ring, batchSize, source } = job;
  // No options of the main thread (loaders, test runners): they would be loaded again.
  const worker = new Worker(new URL('./batch-worker.js', import.meta.url), { workerData: job, execArgv: [] });
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
      return slice(source.spec, ring.arrays, first, size);
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
