/** The thread that prepares batches ahead of the step. It never loads the engine. */
import { workerData } from 'node:worker_threads';
import { augmentInto } from './augment.js';
import type { BatchJob } from './jobs.js';
import { epochOrder } from './order.js';
import { publish, reportFailure, waitForRoom } from './ring.js';

function prepare(job: BatchJob): void {
  const { ring, seed, batchSize, stepsPerEpoch, firstStep, totalSteps, shape, mean } = job;
  const imageBytes = shape[0] * shape[1] * shape[2];
  let order: Uint32Array = new Uint32Array();
  let orderOf = 0;
  for (let step = firstStep; step < totalSteps; step++) {
    if (!waitForRoom(ring)) return;
    const epoch = Math.floor(step / stepsPerEpoch) + 1;
    if (epoch !== orderOf) {
      order = epochOrder(seed, epoch, job.labels.length);
      orderOf = epoch;
    }
    const slot = (step - firstStep) % ring.slots;
    const first = (step % stepsPerEpoch) * batchSize;
    for (let i = 0; i < batchSize; i++) {
      const index = order[first + i];
      const image = job.images.subarray(index * imageBytes, (index + 1) * imageBytes);
      const to = (slot * batchSize + i) * imageBytes;
      if (job.augment) augmentInto(ring.images, to, image, shape, seed, epoch, index, mean);
      else ring.images.set(image, to);
      ring.labels[slot * batchSize + i] = job.labels[index];
    }
    publish(ring);
  }
}

const job = workerData as BatchJob;
try {
  prepare(job);
} catch (error) {
  reportFailure(job.ring, error);
}
