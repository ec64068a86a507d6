import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-node-gpu';
import type { Variable } from '../nn/net.js';

/** How the network is being run. */
export interface Mode {
  training: boolean;
  /** Simulated workers that the batch is divided among; BN's statistics are each worker's own. */
  workers: number;
  /** Use the fused kernels where they exist, else the definitions in plain operations. */
  fused: boolean;
}

/** One application of a normalizer: relu(norm(x) + residual). */
export interface Application {
  mode: Mode;
  relu: boolean;
  residual?: Tensor;
  /** The layer's variable of this name, `[C]`. */
  variable(key: string): Tensor1D;
  /** Asks that the running statistic `key` moves towards `scale · value`, `[≥ C]`, of which the first C count. */
  moveStatistic(key: string, value: Tensor, scale: number): void;
  /** The present value of the normalizer's schedule of this name, a scalar. */
  scheduled(key: string): Tensor;
}

export interface StatisticsUpdate {
  /** The variable's full name. */
  variable: string;
  value: Tensor;
  scale: number;
}

export interface Normalizer {
  /** What tables call it: BN, GN, … */
  label: string;
  /** The variables of a layer with this many channels. */
  variables(layer: string, channels: number, options: LayerOptions): Variable[];
  /** How many groups the channels form; undefined where there are none. @throws UserError where they cannot. */
  groups?(channels: number): number;
  /** @param x `[N, …pixels, C]`, and so is the result. */
  apply(x: Tensor, application: Application): Tensor;
  /**
   * The same with the statistics that the variables hold, differentiable: a frozen layer in training. Only where there
   * are statistics.
   */
  applyGiven?(x: Tensor, application: Application): Tensor;
  /** What a convolution computes with in place of its weight `[kernel, kernel, C, filters]`. */
  weight?(weight: Tensor4D): Tensor4D;
  /** Values that change while training, as functions of the share of it that is done, 0 to 1. */
  schedules?: Record<string, (done: number) => number>;
}

/** What a layer's variables depend on beside its channels. */
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

/** A statistic per channel: kept, not trained. */
export const statistic = (layer: string, key: string, channels: number, value: number): Variable => ({
  name: `${layer}.${key}`,
  shape: [channels],
  initial: { kind: 'constant', value },
  role: 'statistic',
});
