/**
 * Weight Standardization (Qiao et al. 2019, arXiv 1903.10520, eq. 10), in front of any normalizer of features: each
 * filter with mean 0 and variance 1.
 *
 *   ŵ = (w − μ) / √(σ² + ε)
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import type { Normalizer } from '../nn/normalizer.js';
import { moments } from './moments.js';

/** @param weight `[…kernel, C, filters]` */
export function standardizedWeight(weight: Tensor, epsilon = 1e-5): Tensor {
  const axes = weight.shape.map((_, axis) => axis).slice(0, -1); // all but the filters
  const { centred, variance } = moments(weight, axes);
  return centred.div(variance.add(epsilon).sqrt());
}

export const withWeightStandardization = (normalizer: Normalizer): Normalizer => ({
  ...normalizer,
  weight: (weight) => standardizedWeight(weight),
});
