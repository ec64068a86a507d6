/**
 * Weight Normalization (Salimans & Kingma 2016, arXiv 1602.07868, §2): not the features but the weights are normalized,
 * each filter by its length.
 *
 *   y = g·(v / ‖v‖) ∗ x + b
 *
 * g and b are the γ and β of the layer behind the convolution: γ·((v / ‖v‖) ∗ x) + β is the same.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { affineVariables, type Normalizer } from '../nn/normalizer.js';

/** @param v `[…kernel, C, filters]` */
export function normalizedWeight(v: Tensor): Tensor {
  const axes = v.shape.map((_, axis) => axis).slice(0, -1); // ‖v‖ is over all but the filters
  return v.div(v.square().sum(axes, true).sqrt());
}

/** A filter's length at He's initialization where there are as many filters as channels: variances stay through a ReLU. */
const initialGain = Math.SQRT2;

export const weightNorm = (): Normalizer => ({
  variables: (layer, channels, options) =>
    affineVariables(layer, channels, options).map((variable) =>
      variable.role === 'gamma' && !options.zeroGamma
        ? { ...variable, initial: { kind: 'constant', value: initialGain } }
        : variable,
    ),
  weight: normalizedWeight,
  apply: (x, { variable, finish }) => finish(x.mul(variable('gamma')).add(variable('beta'))),
});
