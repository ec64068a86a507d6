/** The thread that prepares batches ahead of the step. It never loads the engine. */
import { workerData } from 'node:worker_threads';
import { eachOf } from '../process/each-of.js';
import { type ExampleSource, type Occasion, openSource } from './example-source.js';
import type { BatchJob } from './jobs.js';
import { batchedOrder, epochOrder, evaluationBatchSizes, evaluationOrder } from './order.js';
import { publish, reportFailure, waitForRoom } from './ring.js';

async function prepare(job: BatchJob): Promise<void> {
  const source = await openSource(job.source);
  await (job.train ? prepareTraining(job, source) : prepareEvaluation(job, source));
}

type Of<Train extends boolean> = Extract<BatchJob, { train: Train }>;

async function prepareTraining(job: Of<true>, source: ExampleSource): Promise<void> {
  const { ring, seed, batchSize, stepsPerEpoch, firstStep, totalSteps, augment } = job;
  let order: Uint32Array = new Uint32Array();
  let orderOf = 0;
  for (let step = firstStep; step < totalSteps; step++) {
    if (!waitForRoom(ring)) return;
    const epoch = Math.floor(step / stepsPerEpoch) + 1;
    if (epoch !== orderOf) {
      order = epochOrder(seed, epoch, source.count);
      if (job.source.canvases) order = batchedOrder(order, job.source.canvases, batchSize);
      orderOf = epoch;
    }
    const to = ((step - firstStep) % ring.slots) * batchSize;
    const first = (step % stepsPerEpoch) * batchSize;
    const occasion: Occasion = { view: 0, ...(augment && { augment: { seed, epoch } }) };
    await fill(source, batchSize, (i) => source.write(ring.arrays, to + i, order[first + i], occasion));
    publish(ring);
  }
}

async function prepareEvaluation(job: Of<false>, source: ExampleSource): Promise<void> {
  const { ring, batchSize } = job;
  const { views = 1 } = source;
  const order = evaluationOrder(source.count, job.source.canvases);
  const sizes = evaluationBatchSizes({ ...job.source, views, count: source.count }, batchSize);
  let first = 0;
  for (const [number, rows] of sizes.entries()) {
    if (!waitForRoom(ring)) return;
    const to = (number % ring.slots) * batchSize;
    await fill(source, rows, (i) => {
      const row = first + i;
      return source.write(ring.arrays, to + i, order[Math.floor(row / views)], { view: row % views });
    });
    first += rows;
    publish(ring);
  }
}

async function fill(
  { sideBySide }: ExampleSource,
  count: number,
  write: (index: number) => void | Promise<void>,
): Promise<void> {
  if (sideBySide) {
    await eachOf(count, sideBySide, async (index) => write(index));
    return;
  }
  for (let index = 0; index < count; index++) {
    const written = write(index);
    if (written) await written;
  }
}

const job = workerData as BatchJob;
try {
  await prepare(job);
} catch (error) {
  reportFailure(job.ring, error);
}
