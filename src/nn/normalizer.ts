import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import type { Normalization, Normalized } from '../engine/ops/normalize.js';
import type { LayerEnding } from '../engine/ops/rectify.js';
import type { Spread, Variable } from './variable.js';

/** How the network is being run. */
export interface Mode {
  training: boolean;
  /** Simulated workers that the batch is divided among; BN's statistics are each worker's own. */
  workers: number;
}

/** One application of a normalizer: relu(norm(x) + residual), and the operations that it is written in. */
export interface Application {
  mode: Mode;
  relu: boolean;
  residual?: Tensor;
  /** The layer's variable of this name, `[C]`. */
  variable(key: string): Tensor1D;
  /**
   * Asks that the running statistic `key` moves to `momentum · itself + (1 − momentum) · scale · value`; of `value`,
   * `[workers, …, C]`, the first worker's numbers count.
   */
  moveStatistic(key: string, value: Tensor, move: StatisticMove): void;
  /** The current value of the normalizer's schedule of this name, a scalar. */
  scheduled(key: string): Tensor;
  /**
   * relu(γ·x̂ + β + residual), where each block has mean 0 and variance 1 in x̂.
   * @param ending another one than the layer's ReLU and residual
   */
  normalize(x: Tensor, normalization: Normalization, ending?: LayerEnding): Normalized;
  /** relu(scale·x + shift + residual) per channel, with statistics that are known; not differentiable. */
  affine(x: Tensor, scale: Tensor, shift: Tensor): Tensor;
  /** relu(y + residual), as far as asked for. */
  finish(y: Tensor): Tensor;
}

/** How a running statistic follows the values of so many workers. */
export interface StatisticMove {
  scale: number;
  momentum: number;
  workers: number;
}

export interface StatisticsUpdate extends StatisticMove {
  /** The variable's full name. */
  variable: string;
  value: Tensor;
}

export interface Normalizer {
  /** It leaves the features as they are. */
  isNone?: true;
  /** The last convolution of a residual block's branch starts at 0, as there is no γ that does. */
  zeroBranches?: boolean;
  /** The variables of a layer with this many channels. */
  variables(layer: string, channels: number, options: LayerOptions): Variable[];
  /** How many groups the channels form; undefined where there are none. @throws UserError where they cannot. */
  groups?(channels: number): number;
  /** @param x `[N, …pixels, C]`, and so is the result. */
  apply(x: Tensor, application: Application): Tensor;
  /**
   * The same with the running statistics, differentiable: a frozen layer in training. Only where there are running
   * statistics.
   */
  applyFrozen?(x: Tensor, application: Application): Tensor;
  /** The weight that a convolution computes with in place of its own, `[…kernel, C, filters]`. */
  weight?(weight: Tensor): Tensor;
  /** Values that change while training, as functions of the share of it that is done, 0 to 1. */
  schedules?: Record<string, (done: number) => number>;
}

/** The normalizer of the layer with this name; of a convolution, the one that changes its weight. */
export type NormalizerOf = (layer: string) => Normalizer;

/** The options of a layer that decide which variables it has. */
export interface LayerOptions {
  /** Start with γ = 0. */
  zeroGamma: boolean;
  /** A rectifier follows. */
  relu: boolean;
}

/** γ and β per channel: all four normalizers of the paper have them. */
export function affineVariables(layer: string, channels: number, { zeroGamma }: LayerOptions): Variable[] {
  const constant = (value: number) => ({ kind: 'constant', value }) as const;
  return [
    { name: `${layer}.gamma`, shape: [channels], initial: constant(zeroGamma ? 0 : 1), role: 'gamma' },
    { name: `${layer}.beta`, shape: [channels], initial: constant(0), role: 'beta' },
  ];
}

/**
 * A statistic per channel: kept, not trained.
 *
 * @param spread of a variance or deviation: which it is, and the key of the mean that it is taken around
 */
export const statistic = (
  layer: string,
  key: string,
  channels: number,
  value: number,
  spread?: Spread,
): Variable => ({
  name: `${layer}.${key}`,
  shape: [channels],
  initial: { kind: 'constant', value },
  role: 'statistic',
  ...(spread && { spread: { ...spread, around: `${layer}.${spread.around}` } }),
});
