/**
 * The family's one operation. Every normalizer of the paper takes its mean and variance over a block of
 * `imagesPerGroup` images × all pixels × `channelsPerGroup` channels (the paper's Figure 2):
 *
 *   GN (1, C/G) · LN (1, C) · IN (1, 1) · BN per worker (N, 1) · synchronized BN (W·N, 1)
 *
 * so one kernel with these two numbers, the addition of a residual and the ReLU behind folded in, covers them all.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import { keepUntilStepEnds } from '../gradients.js';
import type { Kernels } from '../kernel-table.js';
import { tf } from '../load.js';
import { bools, differentiable, execute, floats, ints, type } from '../operation.js';
import { type LayerEnding, rectify, relu } from './rectify.js';

/** The block that statistics are shared over. */
export interface Block {
  imagesPerGroup: number;
  channelsPerGroup: number;
}

/** One normalization: the block whose features share a mean and a variance, and the parameters behind. */
export interface Normalization {
  block: Block;
  /** `[C]` */
  gamma: Tensor1D;
  /** `[C]` */
  beta: Tensor1D;
  epsilon: number;
  /** γ·(x − mean)/√(variance + ε) + β over this block, in plain operations. */
  definition: () => Normalized;
}

export interface Normalized {
  /** relu(γ·(x − mean)/√(variance + ε) + β + residual), of x's shape. */
  y: Tensor;
  /** One for each block; no gradient flows through these two. */
  mean: Tensor;
  /** Biased, of mean's shape. */
  variance: Tensor;
}

/** @param x `[N, …pixels, C]` */
export function normalize(
  x: Tensor,
  normalization: Normalization,
  ending: LayerEnding,
  kernels: Kernels,
): Normalized {
  if (kernels.normalize?.fits(x.shape)) return customNormalize(x, normalization, ending);
  const normalized = normalization.definition();
  return { ...normalized, y: rectify(normalized.y, ending, kernels) };
}

/** One operation forward and one backward. */
function customNormalize(
  x: Tensor,
  { block, gamma, beta, epsilon }: Normalization,
  { relu: withRelu, residual }: LayerEnding,
): Normalized {
  const attributes = () => [
    type('T', DataType.float),
    ints('images_per_group', block.imagesPerGroup),
    ints('channels_per_group', block.channelsPerGroup),
    floats('epsilon', epsilon),
    bools('relu', withRelu),
    bools('has_residual', residual !== undefined),
  ];
  let statistics: Tensor[] = [];
  const y = differentiable(
    [x, gamma, beta, ...(residual ? [residual] : [])],
    (input, scale, shift, added = tf.tensor1d([])) => {
      const inputs = [input, added, scale, shift];
      const [value, mean, rstd, variance] = execute('GnbenchNormalize', attributes(), inputs, 4);
      statistics = [keepUntilStepEnds(mean), keepUntilStepEnds(variance)];
      return { value, saved: [input, value, scale, mean, rstd] };
    },
    (gradient, [input, value, scale, mean, rstd]) => {
      const inputs = [gradient, input, value, scale, mean, rstd];
      const [dx, dgamma, dbeta, dresidual] = execute('GnbenchNormalizeGrad', attributes(), inputs, 4);
      return residual ? [dx, dgamma, dbeta, dresidual] : [dx, dgamma, dbeta];
    },
  );
  return { y, mean: statistics[0], variance: statistics[1] };
}

/**
 * relu(scale·x + shift + residual), per channel: normalization with statistics that are known beforehand.
 * Not differentiable.
 * @param scale `[C]` @param shift `[C]`
 */
export function affine(
  x: Tensor,
  scale: Tensor,
  shift: Tensor,
  { relu: withRelu, residual }: LayerEnding,
  kernels: Kernels,
): Tensor {
  if (!kernels.affine?.fits(x.shape)) {
    const y = x.mul(scale).add(shift);
    const sum = residual ? y.add(residual) : y;
    return withRelu ? relu(sum) : sum;
  }
  const attributes = [
    type('T', DataType.float),
    bools('relu', withRelu),
    bools('has_residual', residual !== undefined),
  ];
  return execute('GnbenchAffineRelu', attributes, [x, residual ?? tf.tensor1d([]), scale, shift])[0];
}
