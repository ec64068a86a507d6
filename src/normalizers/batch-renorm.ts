/**
 * Batch Renormalization (Ioffe 2017, arXiv 1702.03275, Algorithm 1): Batch Normalization, corrected towards the running
 * mean μ and standard deviation σ as far as bounds allow.
 *
 *   r = clip(σ_B / σ, 1/rMax, rMax),   d = clip((μ_B − μ) / σ, −dMax, dMax),   y = γ·((x − μ_B) / σ_B · r + d) + β
 *
 * r and d are constants to the gradient. The bounds rise from 1 and 0, which is BN, in the course of the training. All
 * workers correct towards the same running statistics.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import { tf } from '../engine/load.js';
import { affine, fusedAvailable, fusedNormalize } from '../engine/ops/normalize.js';
import { stopGradient } from '../engine/ops/ops.js';
import { moments } from './moments.js';
import { type Application, affineVariables, type Normalizer, statistic } from './normalizer.js';
import { finish } from './per-image.js';

export interface BatchRenormConfig {
  epsilon: number;
  rMax: number;
  dMax: number;
  /** Shares of the training at which the bounds begin to rise, and have risen. */
  warmup: number[];
}

export function batchRenorm({ epsilon, rMax, dMax, warmup: [from, to] }: BatchRenormConfig): Normalizer {
  const risen = (done: number) => (done >= to ? 1 : done <= from ? 0 : (done - from) / (to - from));
  return {
    label: 'BRN',
    variables: (layer, channels, options) => [
      ...affineVariables(layer, channels, options),
      statistic(layer, 'mean', channels, 0),
      statistic(layer, 'sigma', channels, 1),
    ],
    schedules: {
      rMax: (done) => 1 + (rMax - 1) * risen(done),
      dMax: (done) => dMax * risen(done),
    },
    apply(x, application) {
      return application.mode.training ? train(x, application, epsilon) : evaluate(x, application);
    },
    applyGiven(x, application) {
      const { variable } = application;
      const normalized = x.sub(variable('mean')).div(variable('sigma'));
      return finish(normalized.mul(variable('gamma')).add(variable('beta')), application);
    },
  };
}

function train(x: Tensor, application: Application, epsilon: number): Tensor {
  const { mode, variable, moveStatistic, scheduled } = application;
  const { normalized, mean, sigma } = standardized(x, mode, epsilon);
  moveStatistic('mean', mean, 1);
  moveStatistic('sigma', sigma, 1);
  const clip = (value: Tensor, low: Tensor, high: Tensor) => value.maximum(low).minimum(high);
  const [rMax, dMax] = [scheduled('rMax'), scheduled('dMax')];
  const r = clip(sigma.div(variable('sigma')), rMax.reciprocal(), rMax);
  const d = clip(mean.sub(variable('mean')).div(variable('sigma')), dMax.neg(), dMax);
  const corrected = normalized.mul(stopGradient(r)).add(stopGradient(d)).reshape(x.shape);
  return finish(corrected.mul(variable('gamma')).add(variable('beta')), application);
}

/** (x − μ_B) / σ_B as `[workers, images a worker, pixels, C]`, and μ_B and σ_B as `[workers, 1, 1, C]`. */
function standardized(x: Tensor, { workers, fused }: Application['mode'], epsilon: number) {
  const [images, channels] = [x.shape[0] / workers, x.shape.at(-1)!];
  const perWorker = x.reshape([workers, images, -1, channels]);
  if (!fused || !fusedAvailable()) {
    const { centred, mean, variance } = moments(perWorker, [1, 2]); // the worker's images, and their pixels
    const sigma = variance.add(epsilon).sqrt();
    return { normalized: centred.div(sigma), mean, sigma };
  }
  const block = { imagesPerGroup: images, channelsPerGroup: 1 };
  const [one, zero] = [tf.ones([channels]) as Tensor1D, tf.zeros([channels]) as Tensor1D];
  const { y, mean, variance } = fusedNormalize(x, one, zero, { ...block, epsilon, relu: false });
  const kept = [workers, 1, 1, channels];
  return {
    normalized: y.reshape(perWorker.shape),
    mean: mean.reshape(kept),
    sigma: variance.add(epsilon).sqrt().reshape(kept),
  };
}

function evaluate(x: Tensor, { relu, residual, variable }: Application): Tensor {
  const scale = variable('gamma').div(variable('sigma'));
  return affine(x, scale, variable('beta').sub(variable('mean').mul(scale)), { relu, residual });
}
