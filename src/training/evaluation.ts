import type { DefinedStep, Program } from '../engine/program.js';
import type { Batch } from '../input/batch.js';
import { openEvaluationBatches, rowsOf } from '../input/evaluation-batches.js';
import type { SourceDescription } from '../input/example-source.js';
import type { Task } from '../tasks/task.js';
import { canvasOfBatch, onCanvases, stepOnCanvas } from './canvases.js';
import { batchFeeds, forward, type Network, stepContext, targetsOf, tensorNet } from './network.js';

/** The metrics of a split by name; `loss` is the mean over its examples, where the task gives one. */
export type Evaluation = Record<string, number>;

/** Writes a file of the run's folder, whole. */
export type KeepFile = (name: string, content: string | Uint8Array) => void;

/** Runs a batch of so many rows. */
export type EvaluationStep = (batch: Batch, rows: number) => ReturnType<DefinedStep>;

/**
 * Adds the step that gives the task's predictions, once for each size of batch.
 *
 * @param sizes of the batches of each canvas
 */
export function defineEvaluation(
  program: Program,
  network: Network,
  ...sizes: (readonly number[])[]
): EvaluationStep {
  const steps = new Map<string, DefinedStep>();
  for (const [canvas, own] of onCanvases(network).entries()) {
    for (const size of new Set(sizes[canvas])) {
      const label = stepOnCanvas(`evaluate/${size}`, canvas);
      const step = program.define(label, batchFeeds(own, size), (step) => {
        const net = tensorNet(own, step, { training: false });
        const outputs = forward(own, net, step);
        return own.task.predictions(outputs, targetsOf(own, step), stepContext(own, net));
      });
      steps.set(label, step);
    }
  }
  return (batch, rows) => steps.get(stepOnCanvas(`evaluate/${rows}`, canvasOfBatch(batch)))!(batch);
}

/**
 * Evaluates every example of a split.
 *
 * @param pause called after each batch with the examples that are done; true ends the evaluation early
 * @param keep given the files that the task makes of its predictions
 * @returns undefined when it was ended early
 */
export async function evaluate(
  step: EvaluationStep,
  task: Pick<Task, 'evaluator'>,
  source: SourceDescription,
  batchSize: number,
  pause: (done: number) => Promise<boolean>,
  keep?: KeepFile,
): Promise<Evaluation | undefined> {
  const { views = 1, truth } = source;
  const evaluator = task.evaluator({ views, truth });
  const batches = openEvaluationBatches(source, { batchSize: Math.min(batchSize, rowsOf(source)) });
  let done = 0;
  try {
    for (let next = batches.next(); next; next = batches.next()) {
      evaluator.add(step(next.batch, next.rows), next.batch, next.rows);
      done += next.rows;
      if (await pause(Math.floor(done / views))) return undefined;
    }
  } finally {
    await batches.close();
  }
  const files = keep && (await evaluator.files?.());
  for (const [name, content] of Object.entries(files ?? {})) keep?.(name, content);
  return evaluator.result();
}
