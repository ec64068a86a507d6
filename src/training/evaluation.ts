import type { Split } from '../data/index.js';
import type { Program } from '../engine/program.js';

/** Cross-entropy in nats, error in percent; means over all images. */
export interface Evaluation {
  loss: number;
  error: number;
}

/** The sizes of the batches that a split is evaluated in: whole ones, and one for the rest. */
export function evaluationBatches(count: number, batchSize: number): number[] {
  const size = Math.min(batchSize, count);
  return count % size === 0 ? [size] : [size, count % size];
}

/**
 * Evaluates every image of a split with the program's `evaluate/N` steps.
 * @param pause called after each batch; true ends the evaluation early
 * @returns undefined when it was ended early
 */
export async function evaluate(
  program: Program,
  split: Split,
  batchSize: number,
  pause: (done: number) => Promise<boolean>,
): Promise<Evaluation | undefined> {
  const imageBytes = split.images.length / split.count;
  let loss = 0;
  let errors = 0;
  for (let start = 0; start < split.count; ) {
    const size = Math.min(batchSize, split.count - start);
    const images = split.images.subarray(start * imageBytes, (start + size) * imageBytes);
    const labels = split.labels.subarray(start, start + size);
    const result = program.run(`evaluate/${size}`, { images, labels });
    loss += result.loss[0] * size;
    errors += result.errors[0];
    start += size;
    if (await pause(start)) return undefined;
  }
  return { loss: loss / split.count, error: (100 * errors) / split.count };
}
