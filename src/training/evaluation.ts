import type { Program } from '../engine/program.js';
import { type Images, openEvaluationBatches } from '../input/evaluation-batches.js';

/** The metrics of a split by name; `loss` is the mean over its examples, where the task gives one. */
export type Evaluation = Record<string, number>;

/** The sizes of the batches that a split is evaluated in: whole ones, and one for the rest. */
export function evaluationBatches(count: number, batchSize: number): number[] {
  const size = Math.min(batchSize, count);
  return count % size === 0 ? [size] : [size, count % size];
}

/**
 * Evaluates every validation image with the program's `evaluate/N` steps.
 * @param pause called after each batch; true ends the evaluation early
 * @returns undefined when it was ended early
 */
export async function evaluate(
  program: Program,
  dataset: Images,
  batchSize: number,
  pause: (done: number) => Promise<boolean>,
): Promise<Evaluation | undefined> {
  const batches = openEvaluationBatches(dataset, { batchSize });
  let done = 0;
  let loss = 0;
  let errors = 0;
  let top5Errors = 0;
  let classes = 0;
  try {
    for (let batch = batches.next(); batch; batch = batches.next()) {
      const { images, labels, count } = batch;
      const result = program.run(`evaluate/${count}`, { images, labels });
      loss += result.loss[0] * count;
      errors += result.errors[0];
      classes = result.logits.length / count;
      top5Errors += countBehind(5, result.logits, labels, classes);
      done += count;
      if (await pause(done)) return undefined;
    }
  } finally {
    await batches.close();
  }
  const found: Evaluation = { loss: loss / done, error: (100 * errors) / done };
  // Of five classes or fewer, every label is among the top five.
  return classes > 5 ? { ...found, top5Error: (100 * top5Errors) / done } : found;
}

/** How many images have `places` or more classes with larger logits than their label's; one that is no number counts as larger. */
function countBehind(
  places: number,
  logits: Float32Array,
  labels: ArrayLike<number>,
  classes: number,
): number {
  let behind = 0;
  for (let image = 0; image * classes < logits.length; image++) {
    const start = image * classes;
    const own = logits[start + labels[image]];
    let larger = 0;
    for (let at = start; at < start + classes; at++) if (!(logits[at] <= own)) larger++;
    if (larger >= places) behind++;
  }
  return behind;
}
