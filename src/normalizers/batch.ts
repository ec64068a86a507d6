/**
 * Batch Normalization (Ioffe & Szegedy 2015, arXiv 1502.03167): in training, mean and variance over the images of one
 * worker and their pixels; in evaluation, the running averages of them.
 *
 * The variance that normalizes is biased (1/m), the running one unbiased (1/(m − 1)), as in PyTorch.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import { affine, fusedAvailable, fusedNormalize } from '../engine/ops/normalize.js';
import { moments } from './moments.js';
import { type Application, affineVariables, type Normalizer, statistic } from './normalizer.js';
import { finish } from './per-image.js';

/** @returns y, and each worker's mean and biased variance, `[workers, C]` */
export function batchNorm(x: Tensor, gamma: Tensor1D, beta: Tensor1D, workers: number, epsilon: number) {
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

export function batch({ epsilon }: { epsilon: number }): Normalizer {
  return {
    label: 'BN',
    variables: (layer, channels, options) => [
      ...affineVariables(layer, channels, options),
      statistic(layer, 'mean', channels, 0),
      statistic(layer, 'variance', channels, 1),
    ],
    apply(x, application) {
      return application.mode.training ? train(x, application, epsilon) : withGiven(x, application, epsilon);
    },
    applyGiven: (x, application) => differentiableWithGiven(x, application, epsilon),
  };
}

function train(x: Tensor, application: Application, epsilon: number): Tensor {
  const { mode, relu, residual, variable, moveStatistic } = application;
  const [gamma, beta] = [variable('gamma'), variable('beta')];
  const imagesPerGroup = x.shape[0] / mode.workers;
  const count = x.size / x.shape.at(-1)! / mode.workers;
  const unbiased = count / Math.max(1, count - 1);
  if (mode.fused && fusedAvailable()) {
    const block = { imagesPerGroup, channelsPerGroup: 1 };
    const { y, mean, variance } = fusedNormalize(x, gamma, beta, { ...block, epsilon, relu, residual });
    moveStatistic('mean', mean, 1);
    moveStatistic('variance', variance, unbiased);
    return y;
  }
  const { y, mean, variance } = batchNorm(x, gamma, beta, mode.workers, epsilon);
  moveStatistic('mean', mean, 1);
  moveStatistic('variance', variance, unbiased);
  return finish(y, application);
}

/** With the statistics that the layer's variables hold. */
export function differentiableWithGiven(x: Tensor, application: Application, epsilon: number): Tensor {
  const { variable } = application;
  const normalized = x.sub(variable('mean')).div(variable('variance').add(epsilon).sqrt());
  return finish(normalized.mul(variable('gamma')).add(variable('beta')), application);
}

/** The same as one operation, not differentiable. */
export function withGiven(x: Tensor, { relu, residual, variable }: Application, epsilon: number): Tensor {
  const scale = variable('gamma').div(variable('variance').add(epsilon).sqrt());
  const shift = variable('beta').sub(variable('mean').mul(scale));
  return affine(x, scale, shift, { relu, residual });
}
