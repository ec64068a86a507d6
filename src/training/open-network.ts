import type { Dataset } from '../datasets/index.js';
import type { Program, VariableValue } from '../engine/program.js';
import { UserError } from '../errors.js';
import type { ArraySpec } from '../input/batch.js';
import { changedBy } from '../input/changed-source.js';
import { sourceOf } from '../input/dataset-source.js';
import { rowsOf } from '../input/evaluation-batches.js';
import type { SourceDescription } from '../input/example-source.js';
import { batchSizesByCanvas } from '../input/order.js';
import { withOptimizerSlots } from '../runs/optimizer-slots.js';
import type { Distribution } from '../runs/responses.js';
import type { LoadedTask } from '../tasks/index.js';
import type { Task } from '../tasks/task.js';
import { defineEvaluation, type Evaluation, evaluate, type KeepFile } from './evaluation.js';
import type { Network } from './network.js';
import {
  defineStatistics,
  preciseImages,
  statisticsBatch,
  statisticsSource,
  withPreciseStatistics,
} from './precise-statistics.js';
import { defineResponses } from './responses.js';
import { defineTraining, type TrainStep } from './step.js';

/** The examples that a network is trained, evaluated and has its statistics taken on. */
export interface Sources {
  train: SourceDescription;
  validation: SourceDescription;
  /** The validation split with all views of its videos, for the last evaluation; left out where there is one each. */
  allViews?: SourceDescription;
  statistics: SourceDescription;
  /** The validation images that the responses of convolutions are taken of, the first of it. */
  responses: SourceDescription;
}

/** The data set's examples with the targets that the task wants. */
export async function openSources(dataset: Dataset, { task, examples }: LoadedTask): Promise<Sources> {
  const changed = async (source: SourceDescription) => {
    const given = examples ? await changedBy(examples, source) : source;
    requireTargets(task, given);
    return given;
  };
  return {
    train: await changed(sourceOf(dataset, 'train')),
    validation: await changed(sourceOf(dataset, 'validation')),
    ...(dataset.video && {
      allViews: await changed(sourceOf(dataset, 'validation', { allViews: true })),
    }),
    statistics: statisticsSource(dataset),
    responses: statisticsSource(dataset, 'validation'),
  };
}

/** @throws UserError for a target that the examples do not have */
function requireTargets({ name, targets }: Task, { spec }: SourceDescription): void {
  for (const [target, wanted] of Object.entries(targets)) {
    const given = spec[target];
    if (given?.dtype === wanted.dtype && given.shape.join() === wanted.shape.join()) continue;
    const inWords = ({ shape, dtype }: ArraySpec) => `${dtype} [${shape.join(', ')}]`;
    const found = given ? `as ${inWords(given)}` : `no such array, only ${Object.keys(spec).join(', ')}`;
    throw new UserError(
      `the task ${name} needs ${target} as ${inWords(wanted)}, and the examples have ${found}`,
      {
        place: 'task',
        fix: 'let the module of the task export `examples`, which makes its targets of those of the data set',
      },
    );
  }
}

type EvaluationSources = Pick<Sources, 'validation' | 'allViews' | 'statistics' | 'responses'>;

/** Takes what an evaluation leaves behind beside its numbers. */
export interface KeepOfEvaluation {
  file: KeepFile;
  responses(layers: Record<string, Distribution>): void;
}

export interface OpenNetwork {
  program: Program;
  /**
   * Evaluates the validation split; undefined when `pause`, called after each batch, said to end early.
   * @param final true to take all views of videos
   */
  evaluate(
    pause: (examples: number) => Promise<boolean>,
    final: boolean,
    keep?: KeepOfEvaluation,
  ): Promise<Evaluation | undefined>;
}

/** A program with the network's variables and the steps that evaluate it. The engine has been loaded. */
export async function openNetwork(
  network: Network,
  values: Record<string, VariableValue>,
  sources: EvaluationSources,
  { eager }: { eager: boolean },
): Promise<OpenNetwork> {
  const { createProgram } = await import('../engine/graph/create-program.js');
  const program = createProgram(values, computation(network), { eager });
  return { program, evaluate: defineEvaluations(program, network, sources) };
}

/** The same with what it takes to train it: the optimizer's slots, and the step in so many parts. */
export async function openForTraining(
  network: Network,
  values: Record<string, VariableValue>,
  sources: EvaluationSources | undefined,
  { eager, parts }: { eager: boolean; parts: number },
): Promise<OpenNetwork & { trainOn: TrainStep }> {
  const { createProgram } = await import('../engine/graph/create-program.js');
  const { config, variables } = network;
  const { optimizer } = config;
  const initial = withOptimizerSlots(variables, values, {
    parts,
    averaged: optimizer.emaDecay > 0,
    optimizer,
  });
  const program = createProgram(initial, computation(network), { eager });
  const trainOn = defineTraining(program, network, parts);
  const unmeasured = async () => ({});
  return { program, trainOn, evaluate: sources ? defineEvaluations(program, network, sources) : unmeasured };
}

const computation = ({ config: { precision, engine } }: Network) => ({
  precision,
  convolutions: engine.convolutions,
});

function defineEvaluations(
  program: Program,
  network: Network,
  { validation, allViews = validation, statistics, responses: answered }: EvaluationSources,
): OpenNetwork['evaluate'] {
  const { config, task, variables } = network;
  const { batchSize } = config.evaluate;
  const each = [validation, allViews].map((source) =>
    batchSizesByCanvas(source, Math.min(batchSize, rowsOf(source))),
  );
  const sizes = [0, 1].map((canvas) => each.flatMap((byCanvas) => byCanvas[canvas]));
  const step = defineEvaluation(program, network, ...sizes);
  const images = preciseImages(config, variables);
  const layers = config.log.responses;
  const responses = layers && defineResponses(program, network, answered, layers);
  const measure: OpenNetwork['evaluate'] = async (pause, final, keep) => {
    const split = final ? allViews : validation;
    const evaluation = await evaluate(step, task, split, batchSize, pause, keep?.file);
    if (evaluation && keep && responses) keep.responses(await responses());
    return evaluation;
  };
  if (images === 0) return measure;
  const precise = {
    step: defineStatistics(program, network, statisticsBatch(statistics.count)),
    variables,
    source: statistics,
    images,
  };
  return (pause, final, keep) =>
    withPreciseStatistics(program, precise, () => measure(pause, final, keep), pause);
}
