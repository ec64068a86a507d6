/** The training step: forward, backward and update, whole or in micro-steps. */
import type { Config } from '../config/schema.js';
import { keepUntilStepEnds, lossAndGradients } from '../engine/gradients.js';
import { tf } from '../engine/load.js';
import type { Feed, Program, Step } from '../engine/program.js';
import type { Batch } from '../input/batch.js';
import { trainedVariables } from '../models/parameter-groups.js';
import type { TensorNet } from '../nn/tensor-net.js';
import type { Variable } from '../nn/variable.js';
import { createNormalizers } from '../normalizers/index.js';
import { Draws } from '../random/random.js';
import { sumOf } from '../runs/optimizer-slots.js';
import { loggedNames } from '../tasks/metric.js';
import type { Tensors } from '../tasks/task.js';
import { canvasOfBatch, onCanvases, stepOnCanvas } from './canvases.js';
import { batchFeeds, forward, type Network, stepContext, targetsOf, tensorNet } from './network.js';
import { applyGradients, moveAverages, moveStatistics } from './updates.js';

/** The position of a step in the training: the steps before it, and their share of all, 0 to 1. */
export interface StepPosition {
  step: number;
  fractionDone: number;
}

/** Trains on one batch, at the given rate. */
export type TrainStep = (batch: Batch, rate: number, position: StepPosition) => StepResult;

/** The sum of the losses, a mean over the batch, and what else the task logs: means of losses, sums of counts. */
export interface StepResult {
  loss: number;
  logged: Record<string, number>;
}

const scheduleOf = (key: string) => `normalizer.${key}`;

/**
 * Adds the training step, one for each canvas that images come on. In micro-steps (`parts` > 1) a step's images are
 * taken in so many parts, whose gradients are added up before the one update: less memory, the same numbers (but for
 * what is drawn at random, which is each part's own).
 * The first worker's part goes last: the running statistics follow its images, and all parts see them as they were
 * before the step, which BRN corrects towards.
 *
 * @returns the step, to be run
 */
export function defineTraining(program: Program, network: Network, parts = 1): TrainStep {
  const { config, task } = network;
  const size = (config.batch.size * config.batch.workers) / parts;
  const schedules = Object.entries(createNormalizers(config.normalizer).schedules);
  const feeds = (own: Network): Record<string, Feed> => ({
    ...batchFeeds(own, size),
    rate: { shape: [], dtype: 'float32' },
    ...Object.fromEntries(schedules.map(([key]) => [scheduleOf(key), { shape: [], dtype: 'float32' }])),
    ...(dropsOut(config) && { dropoutSeed: { shape: [2], dtype: 'int32' } }),
    ...(task.draws && { seed: { shape: [2], dtype: 'int32' } }),
  });
  const steps = onCanvases(network).map((own, canvas) => {
    const define = (label: string, place: PlaceInStep) =>
      program.define(stepOnCanvas(label, canvas), feeds(own), (step) => trainOnPart(own, step, parts, place));
    return {
      first: parts > 1 ? define('train/first', { isFirst: true, isLast: false }) : undefined,
      middle: parts > 2 ? define('train/next', { isFirst: false, isLast: false }) : undefined,
      last: define(parts === 1 ? 'train' : 'train/last', { isFirst: parts === 1, isLast: true }),
    };
  });
  const average = config.optimizer.emaDecay > 0 ? defineAveraging(program, network) : undefined;
  const names = loggedNames(task);

  return (batch, rate, { step, fractionDone }) => {
    const result: StepResult = { loss: 0, logged: Object.fromEntries(names.map((name) => [name, 0])) };
    const common = {
      rate: Float32Array.of(rate),
      ...Object.fromEntries(
        schedules.map(([key, at]) => [scheduleOf(key), Float32Array.of(at(fractionDone))]),
      ),
    };
    const { first, middle, last } = steps[canvasOfBatch(batch)];
    for (let part = parts - 1; part >= 0; part--) {
      const run = part === 0 ? last : part === parts - 1 ? first! : middle!;
      const numbers = run({
        ...partOf(batch, part, parts),
        ...common,
        ...(dropsOut(config) && { dropoutSeed: seedOf('dropout', config.seed, step, part) }),
        ...(task.draws && { seed: seedOf('sampling', config.seed, step, part) }),
      });
      result.loss += numbers.loss[0] / parts;
      for (const name of task.logged.losses) result.logged[name] += numbers[logOf(name)][0] / parts;
      for (const name of task.logged.counts) result.logged[name] += numbers[logOf(name)][0];
    }
    average?.({});
    return result;
  };
}

/** The place of a part among a step's: the first opens the sums of gradients, the last makes the update. */
interface PlaceInStep {
  isFirst: boolean;
  isLast: boolean;
}

/** Output of a step that is only logged: a task may call a loss or a count `loss`. */
const logOf = (name: string) => `logged.${name}`;

function trainOnPart(network: Network, step: Step, parts: number, { isFirst, isLast }: PlaceInStep): Tensors {
  const { config, variables } = network;
  const parameters = trainedVariables(variables, config.optimizer);
  const net = tensorNet(network, step, {
    training: true,
    parts,
    inputs: {
      scheduled: (key) => step.feed(scheduleOf(key)),
      dropoutSeed: dropsOut(config) ? step.feed('dropoutSeed') : undefined,
    },
  });
  const { loss, logged, gradients } = differentiate(network, net, step, parameters);
  const summed = gradients.map((gradient, index) => {
    const share = parts === 1 ? gradient : gradient.div(parts);
    return isFirst ? share : step.variable(sumOf(parameters[index].name)).add(share);
  });
  if (isLast) {
    applyGradients(step, parameters, summed, config);
    moveStatistics(step, net.statistics);
  } else {
    for (const [index, { name }] of parameters.entries()) step.assign(sumOf(name), summed[index]);
  }
  return { loss, ...logged };
}

function differentiate(network: Network, net: TensorNet, step: Step, parameters: Variable[]) {
  const { task } = network;
  let logged: Tensors = {};
  const { value: loss, gradients } = lossAndGradients(
    () => {
      const outputs = forward(network, net, step);
      const context = stepContext(network, net, task.draws ? step.feed('seed') : undefined);
      const { losses, counts = {} } = task.training(outputs, targetsOf(network, step), context);
      const found = { ...losses, ...counts };
      logged = Object.fromEntries(
        loggedNames(task).map((name) => {
          if (!found[name])
            throw new Error(`the task ${task.name} logs ${name}, and its training gives none`);
          return [logOf(name), keepUntilStepEnds(found[name])];
        }),
      );
      return Object.values(losses).reduce((sum, each) => sum.add(each));
    },
    parameters.map(({ name }) => step.variable(name)),
  );
  return { loss, logged, gradients };
}

function defineAveraging(program: Program, { config, variables }: Network) {
  return program.define('average', {}, (step) => {
    moveAverages(step, variables, config);
    return { averaged: tf.scalar(1).square() }; // a step returns something that was computed
  });
}

/** The rows of a batch that are a part's. */
const partOf = (batch: Batch, part: number, parts: number): Batch =>
  Object.fromEntries(
    Object.entries(batch).map(([name, values]) => {
      const size = values.length / parts;
      return [name, values.subarray(part * size, (part + 1) * size)];
    }),
  );

const dropsOut = ({ model }: Config): boolean => 'dropout' in model && model.dropout > 0;

/** A function of the run's seed, the step, and the part of it. */
function seedOf(purpose: 'dropout' | 'sampling', seed: number, step: number, part: number): Int32Array {
  const draws = new Draws(seed, purpose, step, part);
  return Int32Array.of(draws.next(), draws.next());
}
