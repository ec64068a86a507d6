/**
 * Layer Normalization (Ba et al. 2016, arXiv 1607.06450) as the paper has it (§3.1): mean and variance over all
 * pixels and channels of one image, γ and β per channel.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import type { Normalized } from '../engine/ops/normalize.js';
import type { Normalizer } from '../nn/normalizer.js';
import { moments } from './moments.js';
import { perImageNormalizer } from './per-image.js';

export function layerNorm(x: Tensor, gamma: Tensor1D, beta: Tensor1D, epsilon: number): Normalized {
  const axes = x.shape.map((_, axis) => axis).slice(1); // all but the images
  const { centred, mean, variance } = moments(x, axes);
  return { y: centred.div(variance.add(epsilon).sqrt()).mul(gamma).add(beta), mean, variance };
}

export const layer = ({ epsilon }: { epsilon: number }): Normalizer =>
  perImageNormalizer({ epsilon, groups: () => 1, definition: layerNorm });
