/**
 * Filter Response Normalization with its thresholded linear unit (Singh & Krishnan 2019, arXiv 1911.09737, §3): each
 * image's and channel's pixels are divided by their root mean square, without a mean being subtracted; instead of by
 * the ReLU, what is left is cut off at a learned threshold τ per channel.
 *
 *   ν² = Σ x² / (H·W),   y = max(γ·x / √(ν² + ε) + β, τ)
 *
 * A residual is added before the unit, where other normalizers have the ReLU.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { relu } from '../engine/ops/rectify.js';
import { affineVariables, type Normalizer } from '../nn/normalizer.js';

export function filterResponse({ epsilon }: { epsilon: number }): Normalizer {
  return {
    variables(layer, channels, options) {
      const affine = affineVariables(layer, channels, options);
      if (!options.relu) return affine;
      const initial = { kind: 'constant', value: 0 } as const; // the unit begins as the ReLU
      return [...affine, { name: `${layer}.tau`, shape: [channels], initial, role: 'beta' }];
    },
    apply(x, { relu: withUnit, residual, variable }) {
      const pixels = x.shape.map((_, axis) => axis).slice(1, -1);
      const square = x.square().mean(pixels, true);
      const normalized = x.div(square.add(epsilon).sqrt());
      const y = normalized.mul(variable('gamma')).add(variable('beta'));
      const sum = residual ? y.add(residual) : y;
      return withUnit ? thresholded(sum, variable('tau')) : sum;
    },
  };
}

/** max(y, τ), written so that τ's gradient is summed over images and pixels. */
const thresholded = (y: Tensor, tau: Tensor): Tensor => relu(y.sub(tau)).add(tau);
