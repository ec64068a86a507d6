/**
 * The family's one operation. Every normalizer of the paper takes its mean and variance over a block of
 * `imagesPerGroup` images × all pixels × `channelsPerGroup` channels (the paper's Figure 2):
 *
 *   GN (1, C/G) · LN (1, C) · IN (1, 1) · BN per worker (N, 1) · synchronized BN (W·N, 1)
 *
 * so one kernel with these two numbers, the addition of a residual and the ReLU behind folded in, covers them all.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import { outlive } from '../gradients.js';
import { DataType } from '../graph/graph.js';
import { loaded, tf } from '../load.js';
import { bools, differentiable, execute, floats, ints, relu, type } from './ops.js';

/** The block that statistics are shared over. */
export interface Block {
  imagesPerGroup: number;
  channelsPerGroup: number;
}

export interface NormalizeOptions extends Block {
  epsilon: number;
  /** Apply max(·, 0) last. */
  relu: boolean;
  /** Added before the ReLU; of x's shape. */
  residual?: Tensor;
}

export interface Normalized {
  /** relu(γ·(x − mean)/√(variance + ε) + β + residual), of x's shape. */
  y: Tensor;
  /** `[images / imagesPerGroup, C / channelsPerGroup]`; no gradient flows through these two. */
  mean: Tensor;
  /** Biased, of mean's shape. */
  variance: Tensor;
}

/** Whether the fused kernels can be used in this process (a CPU, and they were built). */
export const fusedAvailable = (): boolean => loaded.fused;

/**
 * The fused form, one operation forward and one backward.
 * @param x `[N, …pixels, C]` @param gamma `[C]` @param beta `[C]`
 */
export function fusedNormalize(
  x: Tensor,
  gamma: Tensor1D,
  beta: Tensor1D,
  options: NormalizeOptions,
): Normalized {
  const { residual } = options;
  const attributes = () => [
    type('T', DataType.float),
    ints('images_per_group', options.imagesPerGroup),
    ints('channels_per_group', options.channelsPerGroup),
    floats('epsilon', options.epsilon),
    bools('relu', options.relu),
    bools('has_residual', residual !== undefined),
  ];
  let statistics: Tensor[] = [];
  const y = differentiable(
    [x, gamma, beta, ...(residual ? [residual] : [])],
    (input, scale, shift, added = tf.tensor1d([])) => {
      const inputs = [input, added, scale, shift];
      const [value, mean, rstd, variance] = execute('GnbenchNormalize', attributes(), inputs, 4);
      statistics = [outlive(mean), outlive(variance)];
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
 * @param scale `[C]` @param shift `[C]`
 */
export function affine(
  x: Tensor,
  scale: Tensor,
  shift: Tensor,
  { relu: withRelu, residual }: { relu: boolean; residual?: Tensor },
): Tensor {
  if (!fusedAvailable()) {
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
