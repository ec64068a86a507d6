/**
 * Instance Normalization (Ulyanov et al. 2016, arXiv 1607.08022): mean and variance over the pixels of one channel
 * of one image.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import type { Normalized } from '../engine/ops/normalize.js';
import type { Normalizer } from '../nn/normalizer.js';
import { moments } from './moments.js';
import { perImageNormalizer } from './per-image.js';

export function instanceNorm(x: Tensor, gamma: Tensor1D, beta: Tensor1D, epsilon: number): Normalized {
  const axes = x.shape.map((_, axis) => axis).slice(1, -1); // the pixels
  const { centred, mean, variance } = moments(x, axes);
  return { y: centred.div(variance.add(epsilon).sqrt()).mul(gamma).add(beta), mean, variance };
}

export const instance = ({ epsilon }: { epsilon: number }): Normalizer =>
  perImageNormalizer({ epsilon, groups: (channels) => channels, definition: instanceNorm });
