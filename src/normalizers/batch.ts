/**
 * Batch Normalization (Ioffe & Szegedy 2015, arXiv 1502.03167): in training, mean and variance over the images of one
 * worker and their pixels; in evaluation, the running averages of them.
 *
 * The variance that normalizes is biased (1/m), the running one unbiased (1/(m − 1)), as in PyTorch.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import type { Normalized } from '../engine/ops/normalize.js';
import { type Application, affineVariables, type Normalizer, statistic } from '../nn/normalizer.js';
import { moments } from './moments.js';

/** @returns y, and each worker's mean and biased variance, `[workers, C]` */
export function batchNorm(
  x: Tensor,
  gamma: Tensor1D,
  beta: Tensor1D,
  workers: number,
  epsilon: number,
): Normalized {
  const [images, channels] = [x.shape[0], x.shape.at(-1)!];
  const perWorker = x.reshape([workers, images / workers, -1, channels]);
  const { centred, mean, variance } = moments(perWorker, [1, 2]); // the worker's images, and their pixels
  const normalized = centred.div(variance.add(epsilon).sqrt()).reshape(x.shape);
  return {
    y: normalized.mul(gamma).add(beta),
    mean: mean.reshape([workers, channels]),
    variance: variance.reshape([workers, channels]),
  };
}

export interface BatchConfig {
  epsilon: number;
  /** The share of a running statistic that stays after a step. */
  momentum: number;
}

export function batch({ epsilon, momentum }: BatchConfig): Normalizer {
  return {
    variables: batchVariables,
    apply(x, application) {
      if (!application.mode.training) return withRunning(x, application, epsilon);
      const { mode, variable, moveStatistic, normalize } = application;
      const { workers } = mode;
      const [gamma, beta] = [variable('gamma'), variable('beta')];
      const { y, mean, variance } = normalize(x, {
        block: { imagesPerGroup: x.shape[0] / workers, channelsPerGroup: 1 },
        gamma,
        beta,
        epsilon,
        definition: () => batchNorm(x, gamma, beta, workers, epsilon),
      });
      const count = x.size / x.shape.at(-1)! / workers;
      moveStatistic('mean', mean, { scale: 1, momentum, workers });
      moveStatistic('variance', variance, { scale: count / Math.max(1, count - 1), momentum, workers });
      return y;
    },
    // With the statistics γ and β are frozen, too.
    applyFrozen: (x, application) => fixedAffine(x, application, epsilon),
  };
}

export const batchVariables: Normalizer['variables'] = (layer, channels, options) => [
  ...affineVariables(layer, channels, options),
  statistic(layer, 'mean', channels, 0),
  statistic(layer, 'variance', channels, 1, { kind: 'variance', around: 'mean' }),
];

/** With the running statistics: a multiplication and an addition of numbers per channel, differentiable in `x`. */
export function fixedAffine(x: Tensor, application: Application, epsilon: number): Tensor {
  const { scale, shift } = ofRunning(application, epsilon);
  return application.finish(x.mul(scale).add(shift));
}

/** The same as one operation, not differentiable. */
export function withRunning(x: Tensor, application: Application, epsilon: number): Tensor {
  const { scale, shift } = ofRunning(application, epsilon);
  return application.affine(x, scale, shift);
}

function ofRunning({ variable }: Application, epsilon: number): { scale: Tensor; shift: Tensor } {
  const scale = variable('gamma').div(variable('variance').add(epsilon).sqrt());
  return { scale, shift: variable('beta').sub(variable('mean').mul(scale)) };
}

/** The same in the order of the formula, for gradients of γ and β. */
export function trainedAffine(x: Tensor, { variable, finish }: Application, epsilon: number): Tensor {
  const normalized = x.sub(variable('mean')).div(variable('variance').add(epsilon).sqrt());
  return finish(normalized.mul(variable('gamma')).add(variable('beta')));
}
