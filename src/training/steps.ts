/** The steps of a run, as functions of tensors: train on a batch, evaluate a batch. */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import type { Config } from '../config/schema.js';
import { keepUntilStepEnds, lossAndGradients } from '../engine/gradients.js';
import type { Kernels } from '../engine/kernel-table.js';
import { tf } from '../engine/load.js';
import { softmaxCrossEntropy } from '../engine/ops/softmax-loss.js';
import { standardize } from '../engine/ops/standardize.js';
import type { Feed, Program, Step, Values, VariableValue } from '../engine/program.js';
import { isFrozen, trainedVariables } from '../models/parameter-groups.js';
import type { Model, Variable } from '../nn/net.js';
import { type Present, TensorNet } from '../nn/tensor-net.js';
import { createNormalizer } from '../normalizers/index.js';
import { Draws } from '../random/random.js';
import { averageOf, sumOf, velocityOf } from './slot-names.js';
import { applyGradients, moveAverages, moveStatistics } from './updates.js';

/** What a network is made of, apart from the values of its variables. */
export interface Network {
  config: Config;
  model: Model;
  variables: Variable[];
  /** One image, `[H, W, C]`. */
  shape: number[];
  /** Of uint8 images, per channel, 0 to 255; without it, images are float32 and standardized already. */
  pixels?: { mean: number[]; std: number[] };
  /** The kernels to compute with; without them, the definitions in TensorFlow's operations. */
  kernels: Kernels;
}

const scheduleOf = (key: string) => `normalizer.${key}`;

/**
 * All variables of a run: the network's, SGD's velocities and, for micro-steps, the gradients' sums, which start at 0;
 * and, where they are asked for, running averages, which start as what they are of.
 */
export function withVelocities(
  variables: Variable[],
  values: Record<string, VariableValue>,
  { parts = 1, averaged = false, optimizer = {} }: SlotOptions = {},
): Record<string, VariableValue> {
  const slots = trainedVariables(variables, optimizer).flatMap(({ name, shape }) => {
    const zeros = () => ({
      shape,
      data: new Float32Array(shape.reduce((product, length) => product * length, 1)),
    });
    const velocity = [velocityOf(name), zeros()] as const;
    return parts > 1 ? [velocity, [sumOf(name), zeros()] as const] : [velocity];
  });
  const averages = averaged ? variables.map(({ name }) => [averageOf(name), values[name]] as const) : [];
  return { ...values, ...Object.fromEntries([...slots, ...averages]) };
}

interface SlotOptions {
  /** Micro-steps of a step. */
  parts?: number;
  averaged?: boolean;
  /** What it freezes has neither velocity nor sum. */
  optimizer?: Pick<Config['optimizer'], 'frozen'>;
}

/** When a step takes place: how many came before it, and the share of the training that these are, 0 to 1. */
export interface Moment {
  step: number;
  done: number;
}

/** Trains on one batch: its images and labels, and the rate. */
export type TrainStep = (
  batch: { images: Values; labels: Int32Array },
  rate: number,
  moment?: Moment,
) => StepResult;

/** The mean loss of a batch's examples, and what else the task logs: means of further losses, sums of counts. */
export interface StepResult {
  loss: number;
  logged: Record<string, number>;
}

/**
 * Adds the training step. In micro-steps (`parts` > 1) a step's images are taken in so many parts, whose gradients are
 * added up before the one update: less memory, the same numbers (but for dropout's draws, which are each part's own).
 * The part that goes last is that of the first worker, whose images the running statistics follow: all parts see them
 * as they were before the step, which BRN corrects towards.
 * @returns what runs it: gives the batch's mean loss and its count of errors
 */
export function defineTraining(program: Program, network: Network, parts = 1): TrainStep {
  const { config, variables } = network;
  const parameters = trainedVariables(variables, config.optimizer);
  const batch = (config.batch.size * config.batch.workers) / parts;
  const schedules = Object.entries(createNormalizer(config.normalizer).schedules ?? {});
  const feeds: Record<string, Feed> = {
    ...imageFeeds(network, batch),
    rate: { shape: [], dtype: 'float32' },
    ...Object.fromEntries(schedules.map(([key]) => [scheduleOf(key), { shape: [], dtype: 'float32' }])),
    ...(dropsOut(config) && { dropoutSeed: { shape: [2], dtype: 'int32' } }),
  };
  for (const part of microSteps(parts)) {
    program.define(part, feeds, (step) => {
      const net = tensorNet(network, step, {
        training: true,
        parts,
        present: {
          scheduled: (key) => step.feed(scheduleOf(key)),
          dropoutSeed: dropsOut(config) ? step.feed('dropoutSeed') : undefined,
        },
      });
      const { loss, errors, gradients } = differentiate(network, net, step, parameters);
      const summed = gradients.map((gradient, index) => {
        const share = parts === 1 ? gradient : gradient.div(parts);
        return opens(part) ? share : step.variable(sumOf(parameters[index].name)).add(share);
      });
      if (closes(part)) applyGradients(step, parameters, summed, config);
      else for (const [index, { name }] of parameters.entries()) step.assign(sumOf(name), summed[index]);
      if (closes(part)) moveStatistics(step, net.statistics);
      return { loss, errors };
    });
  }
  if (config.optimizer.emaDecay > 0) defineAveraging(program, network);
  return ({ images, labels }, rate, { step, done } = { step: 0, done: 0 }) => {
    const result = { loss: 0, logged: { error: 0 } };
    const imageSize = images.length / labels.length;
    const scheduled = schedules.map(([key, at]) => [scheduleOf(key), Float32Array.of(at(done))] as const);
    for (let part = parts - 1; part >= 0; part--) {
      const [start, end] = [part * batch, (part + 1) * batch];
      const name = microSteps(parts).at(part === 0 ? -1 : part === parts - 1 ? 0 : 1)!;
      const { loss, errors } = program.run(name, {
        images: images.subarray(start * imageSize, end * imageSize),
        labels: labels.subarray(start, end),
        rate: Float32Array.of(rate),
        ...Object.fromEntries(scheduled),
        ...(dropsOut(config) && { dropoutSeed: dropoutSeed(config.seed, step, part) }),
      });
      result.loss += loss[0] / parts;
      result.logged.error += errors[0];
    }
    if (config.optimizer.emaDecay > 0) program.run('average', {});
    return result;
  };
}

function defineAveraging(program: Program, { config, variables }: Network): void {
  program.define('average', {}, (step) => {
    moveAverages(step, variables, config);
    return { averaged: tf.scalar(1).square() }; // a step returns something that was computed
  });
}

/** The programs' steps: one for a whole batch; else one for the first part, the ones between, and the last. */
const microSteps = (parts: number): string[] => {
  if (parts === 1) return ['train'];
  return parts === 2 ? ['train/first', 'train/last'] : ['train/first', 'train/next', 'train/last'];
};
const opens = (part: string) => part === 'train' || part === 'train/first';
const closes = (part: string) => part === 'train' || part === 'train/last';

function differentiate(network: Network, net: TensorNet, step: Step, parameters: Variable[]) {
  let errors: Tensor | undefined;
  const { value: loss, gradients } = lossAndGradients(
    () => {
      const result = forward(network, net, step, network.config.optimizer.labelSmoothing);
      errors = keepUntilStepEnds(result.errors);
      return result.loss;
    },
    parameters.map(({ name }) => step.variable(name)),
  );
  return { loss, errors: errors!, gradients };
}

/** Adds the step `evaluate/N` for a batch of N images: returns mean loss, count of errors, and logits. */
export function defineEvaluation(program: Program, network: Network, batch: number): void {
  program.define(`evaluate/${batch}`, imageFeeds(network, batch), (step) => {
    return forward(network, tensorNet(network, step, { training: false }), step);
  });
}

/**
 * Adds the step `statistics/N`: returns mean and variance of every layer that keeps running ones, over a batch of N
 * images taken as one worker's, by the variables' names.
 */
export function defineStatistics(program: Program, network: Network, batch: number): void {
  program.define(`statistics/${batch}`, imageFeeds(network, batch), (step) => {
    // As one worker's images, whatever the training's workers.
    const net = tensorNet(network, step, { training: true, parts: network.config.batch.workers });
    forward(network, net, step);
    return Object.fromEntries(net.statistics.map(({ variable, value }) => [variable, value]));
  });
}

function forward(network: Network, net: TensorNet, step: Step, labelSmoothing = 0) {
  const { model, pixels, kernels } = network;
  const images = pixels
    ? standardize(step.feed('images'), pixels.mean, pixels.std, kernels)
    : step.feed('images');
  const logits = model<Tensor>(net, images).logits as Tensor2D;
  const labels = step.feed('labels');
  const { loss, errors } = softmaxCrossEntropy(logits, labels, kernels);
  return { logits, errors, loss: labelSmoothing === 0 ? loss : smooth(loss, logits, labels, labelSmoothing) };
}

/** The loss with labels of which a share is spread over all classes: that adds share · (logit of the label − mean logit). */
function smooth(loss: Tensor, logits: Tensor2D, labels: Tensor, share: number): Tensor {
  const ofLabel = logits.mul(tf.oneHot(labels as Tensor1D, logits.shape[1])).sum(1);
  return loss.add(ofLabel.sub(logits.mean(1)).mean().mul(share));
}

/** A part of a batch holds as many workers' images as there are workers in it; less than one counts as one. */
function tensorNet(
  { config, kernels }: Network,
  step: Step,
  { training, parts = 1, present }: NetOptions,
): TensorNet {
  const workers = Math.max(1, config.batch.workers / parts);
  const normalizer = createNormalizer(config.normalizer);
  const atTheEnd = (key: string) => tf.scalar(normalizer.schedules![key](1));
  const mode = { training, workers, precision: config.precision };
  const averaged = !training && config.optimizer.emaDecay > 0;
  const seen = averaged ? { variable: (name: string) => step.variable(averageOf(name)) } : step;
  const frozen = (name: string) => isFrozen(config.optimizer, name);
  return new TensorNet(seen, normalizer, mode, kernels, present ?? { scheduled: atTheEnd }, frozen);
}

interface NetOptions {
  training: boolean;
  parts?: number;
  /** Without it, schedules are at their end, and nothing is dropped. */
  present?: Present;
}

const dropsOut = ({ model }: Config): boolean => 'dropout' in model && model.dropout > 0;

/** A function of the run's seed, the step, and the part of it. */
function dropoutSeed(seed: number, step: number, part: number): Int32Array {
  const draws = new Draws(seed, 'dropout', step, part);
  return Int32Array.of(draws.next(), draws.next());
}

const imageFeeds = ({ shape, pixels }: Network, batch: number): Record<string, Feed> => ({
  images: { shape: [batch, ...shape], dtype: pixels ? 'uint8' : 'float32' },
  labels: { shape: [batch], dtype: 'int32' },
});
