import type { DefinedStep, Program } from '../engine/program.js';
import type { Batch } from '../input/batch.js';
import { openEvaluationBatches, rowsOf } from '../input/evaluation-batches.js';
import type { SourceDescription } from '../input/example-source.js';
import type { Task } from '../tasks/task.js';
import { batchFeeds, forward, type Network, stepContext, targetsOf, tensorNet } from './network.js';

/** The metrics of a split by name; `loss` is the mean over its examples, where the task gives one. */
export type Evaluation = Record<string, number>;

/** Writes a file of the run's folder. */
export type KeepFile = (name: string, text: string) => void;

/** Runs a batch of so many rows. */
export type EvaluationStep = (batch: Batch, rows: number) => ReturnType<DefinedStep>;

/** The sizes of the batches that a split is evaluated in: whole ones, and one for the rest. */
export function evaluationBatches(rows: number, batchSize: number): number[] {
  const size = Math.min(batchSize, rows);
  return rows % size === 0 ? [size] : [size, rows % size];
}

/** Adds the step that gives the task's predictions, once for each size of batch. */
export function defineEvaluation(
  program: Program,
  network: Network,
  sizes: readonly number[],
): EvaluationStep {
  const steps = new Map(
    sizes.map((size) => {
      const step = program.define(`evaluate/${size}`, batchFeeds(network, size), (step) => {
        const net = tensorNet(network, step, { training: false });
        const outputs = forward(network, net, step);
        return network.task.predictions(outputs, targetsOf(network, step), stepContext(network, net));
      });
      return [size, step] as const;
    }),
  );
  return (batch, rows) => steps.get(rows)!(batch);
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
  for (const [name, text] of Object.entries((keep && evaluator.files?.()) ?? {})) keep?.(name, text);
  return evaluator.result();
}
