/** The steps of a run, as functions of tensors: train on a batch, evaluate a batch. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import type { Config } from '../config/schema.js';
import { lossAndGradients, outlive } from '../engine/gradients.js';
import { softmaxCrossEntropy, standardize } from '../engine/ops.js';
import type { Feed, Program, Step, VariableValue } from '../engine/program.js';
import type { Model, Variable } from '../models/net.js';
import { TensorNet } from '../models/tensor-net.js';
import { createNormalizer } from '../normalizers/index.js';

/** What a network is made of, apart from the values of its variables. */
export interface Network {
  config: Config;
  model: Model;
  variables: Variable[];
  /** One image, `[H, W, C]`. */
  shape: number[];
  /** Of uint8 images, per channel, 0 to 255; without it, images are float32 and standardized already. */
  pixels?: { mean: number[]; std: number[] };
  /** Compute with the fused kernels where they exist. */
  fused: boolean;
}

const trained = ({ role }: Variable) => role !== 'statistic';
const velocityOf = (name: string) => `${name}.velocity`;

/** All variables of a run: the network's, and SGD's velocities, which start at 0. */
export function withVelocities(
  variables: Variable[],
  values: Record<string, VariableValue>,
): Record<string, VariableValue> {
  const velocities = variables.filter(trained).map(({ name, shape }) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return [velocityOf(name), { shape, data: new Float32Array(size) }] as const;
  });
  return { ...values, ...Object.fromEntries(velocities) };
}

/** Adds the step `train`: feeds images, labels and the rate; returns the batch's mean loss and count of errors. */
export function defineTraining(program: Program, network: Network): void {
  const { config, variables } = network;
  const parameters = variables.filter(trained);
  const batch = config.batch.size * config.batch.workers;
  const feeds: Record<string, Feed> = {
    ...imageFeeds(network, batch),
    rate: { shape: [], dtype: 'float32' },
  };
  program.define('train', feeds, (step) => {
    const net = tensorNet(network, step, true);
    let errors: Tensor | undefined;
    const { value: loss, gradients } = lossAndGradients(
      () => {
        const result = forward(network, net, step);
        errors = outlive(result.errors);
        return result.loss;
      },
      parameters.map(({ name }) => step.variable(name)),
    );
    step.momentum({
      variables: parameters.map(({ name }) => name),
      velocities: parameters.map(({ name }) => velocityOf(name)),
      gradients,
      decayed: parameters.map(({ role }) => isDecayed(role, config)),
      rate: step.feed('rate'),
      ...config.optimizer,
    });
    if (net.statistics.length > 0) {
      step.movingAverage({
        variables: net.statistics.map(({ variable }) => variable),
        values: net.statistics.map(({ value }) => value),
        scales: net.statistics.map(({ scale }) => scale),
        momentum: runningMomentum(config),
      });
    }
    return { loss, errors: errors! };
  });
}

/** Adds the step `evaluate/N` for a batch of N images: returns mean loss, count of errors, and logits. */
export function defineEvaluation(program: Program, network: Network, batch: number): void {
  program.define(`evaluate/${batch}`, imageFeeds(network, batch), (step) => {
    return forward(network, tensorNet(network, step, false), step);
  });
}

function forward(network: Network, net: TensorNet, step: Step) {
  const { model, pixels } = network;
  const images = pixels ? standardize(step.feed('images'), pixels.mean, pixels.std) : step.feed('images');
  const logits = model<Tensor>(net, images) as Tensor2D;
  return { logits, ...softmaxCrossEntropy(logits, step.feed('labels')) };
}

function tensorNet({ config, fused }: Network, step: Step, training: boolean): TensorNet {
  const workers = config.batch.workers;
  return new TensorNet(step, createNormalizer(config.normalizer), { training, workers, fused });
}

const imageFeeds = ({ shape, pixels }: Network, batch: number): Record<string, Feed> => ({
  images: { shape: [batch, ...shape], dtype: pixels ? 'uint8' : 'float32' },
  labels: { shape: [batch], dtype: 'int32' },
});

function isDecayed(role: Variable['role'], { optimizer }: Config): boolean {
  if (role === 'gamma' || role === 'beta') return optimizer.decayNormalizer;
  return role === 'bias' ? optimizer.decayBias : true;
}

const runningMomentum = ({ normalizer }: Config): number =>
  'momentum' in normalizer ? (normalizer.momentum as number) : 0;
