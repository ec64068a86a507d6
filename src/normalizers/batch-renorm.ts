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
import { stopGradient } from '../engine/gradients.js';
import { tf } from '../engine/load.js';
import type { Normalized } from '../engine/ops/normalize.js';
import { type Application, affineVariables, type Normalizer, statistic } from '../nn/normalizer.js';
import { type BatchConfig, batchNorm } from './batch.js';

export interface BatchRenormConfig extends BatchConfig {
  rMax: number;
  dMax: number;
  /** Shares of the training at which the bounds begin to rise, and have risen. */
  warmup: number[];
}

export function batchRenorm(config: BatchRenormConfig): Normalizer {
  const { rMax, dMax, warmup } = config;
  const [from, to] = warmup;
  const risen = (done: number) => (done >= to ? 1 : done <= from ? 0 : (done - from) / (to - from));
  return {
    variables: (layer, channels, options) => [
      ...affineVariables(layer, channels, options),
      statistic(layer, 'mean', channels, 0),
      statistic(layer, 'sigma', channels, 1, { kind: 'deviation', around: 'mean' }),
    ],
    schedules: {
      rMax: (done) => 1 + (rMax - 1) * risen(done),
      dMax: (done) => dMax * risen(done),
    },
    apply(x, application) {
      return application.mode.training ? train(x, application, config) : evaluate(x, application);
    },
    applyFrozen(x, { variable, finish }) {
      const normalized = x.sub(variable('mean')).div(variable('sigma'));
      return finish(normalized.mul(variable('gamma')).add(variable('beta')));
    },
  };
}

function train(x: Tensor, application: Application, { epsilon, momentum }: BatchConfig): Tensor {
  const { mode, variable, moveStatistic, scheduled, finish } = application;
  const { workers } = mode;
  const channels = x.shape.at(-1)!;
  const { y, mean: means, variance } = standardized(x, application, epsilon);
  // A worker's images and pixels share what is computed for it: `[workers, 1, 1, C]`.
  const [mean, sigma] = [means, variance.add(epsilon).sqrt()].map((each) =>
    each.reshape([workers, 1, 1, channels]),
  );
  moveStatistic('mean', mean, { scale: 1, momentum, workers });
  moveStatistic('sigma', sigma, { scale: 1, momentum, workers });
  const clip = (value: Tensor, low: Tensor, high: Tensor) => value.maximum(low).minimum(high);
  const [rMax, dMax] = [scheduled('rMax'), scheduled('dMax')];
  const r = clip(sigma.div(variable('sigma')), rMax.reciprocal(), rMax);
  const d = clip(mean.sub(variable('mean')).div(variable('sigma')), dMax.neg(), dMax);
  const perWorker = y.reshape([workers, x.shape[0] / workers, -1, channels]);
  const corrected = perWorker.mul(stopGradient(r)).add(stopGradient(d)).reshape(x.shape);
  return finish(corrected.mul(variable('gamma')).add(variable('beta')));
}

/** (x − μ_B) / σ_B: Batch Normalization with γ = 1 and β = 0, and nothing behind it yet. */
function standardized(x: Tensor, { mode: { workers }, normalize }: Application, epsilon: number): Normalized {
  const channels = x.shape.at(-1)!;
  const [gamma, beta] = [tf.ones([channels]) as Tensor1D, tf.zeros([channels]) as Tensor1D];
  const block = { imagesPerGroup: x.shape[0] / workers, channelsPerGroup: 1 };
  const definition = () => batchNorm(x, gamma, beta, workers, epsilon);
  return normalize(x, { block, gamma, beta, epsilon, definition }, { relu: false });
}

function evaluate(x: Tensor, { variable, affine }: Application): Tensor {
  const scale = variable('gamma').div(variable('sigma'));
  return affine(x, scale, variable('beta').sub(variable('mean').mul(scale)));
}
