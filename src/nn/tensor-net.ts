/** A `Net` that computes: layers as TensorFlow operations on the variables of a step. */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import type { Precision } from '../engine/data-type.js';
import { keepUntilStepEnds } from '../engine/gradients.js';
import type { Kernels } from '../engine/kernel-table.js';
import { tf } from '../engine/load.js';
import { convolution } from '../engine/ops/convolution.js';
import { dropout } from '../engine/ops/dropout.js';
import { globalAverage } from '../engine/ops/global-average.js';
import { affine, normalize } from '../engine/ops/normalize.js';
import { maxPool } from '../engine/ops/pooling.js';
import { rectify, relu } from '../engine/ops/rectify.js';
import { subsample } from '../engine/ops/subsample.js';
import { transposedConvolution, upsample } from '../engine/ops/upsample.js';
import type { Step } from '../engine/program.js';
import {
  type Convolution,
  type Net,
  type NormalizationOptions,
  type PerDimension,
  type Pooling,
  perDimension,
  windowOf,
} from './net.js';
import type { Application, Mode, NormalizerOf, StatisticsUpdate } from './normalizer.js';

/** The inputs of a layer that differ from step to step. */
export interface StepInputs {
  /** The current value of one of the normalizer's schedules. */
  scheduled(key: string): Tensor;
  /** Dropout's seed, `[2]`, int32; without it, nothing is dropped. */
  dropoutSeed?: Tensor;
}

export class TensorNet implements Net<Tensor> {
  /** The values that the running statistics are to be moved towards, in the order of the layers. */
  readonly statistics: StatisticsUpdate[] = [];
  private dropouts = 0;

  constructor(
    private readonly step: Pick<Step, 'variable'>,
    private readonly normalizerOf: NormalizerOf,
    private readonly mode: Mode & { precision: Precision },
    private readonly kernels: Kernels,
    private readonly inputs: StepInputs,
    private readonly isFrozen: (variable: string) => boolean = () => false,
  ) {}

  conv(name: string, x: Tensor, { bias = false, plain = false, ofImage, ...window }: Convolution): Tensor {
    const variable = this.step.variable(`${name}.weight`);
    const weight = (!plain && this.normalizerOf(name).weight?.(variable)) || variable;
    const { stride, padding } = windowOf(window, x.rank - 2);
    const options = { stride, padding, precision: this.mode.precision, ofImage };
    const y = convolution(x, weight, options, this.kernels);
    return bias ? y.add(this.step.variable(`${name}.bias`)) : y;
  }

  norm(
    name: string,
    x: Tensor,
    { relu: withRelu = false, residual }: NormalizationOptions<Tensor> = {},
  ): Tensor {
    const { kernels, mode } = this;
    const normalizer = this.normalizerOf(name);
    const ending = { relu: withRelu, residual };
    const application: Application = {
      mode,
      ...ending,
      variable: (key) => this.step.variable(`${name}.${key}`) as Tensor1D,
      moveStatistic: (key, value, move) =>
        this.statistics.push({ variable: `${name}.${key}`, value: keepUntilStepEnds(value), ...move }),
      scheduled: this.inputs.scheduled,
      normalize: (input, normalization, other = ending) => normalize(input, normalization, other, kernels),
      affine: (input, scale, shift) => affine(input, scale, shift, ending, kernels),
      finish: (y) => rectify(y, ending, kernels),
    };
    // A frozen layer keeps its running statistics and is trained with them, as it will be evaluated.
    const frozen = mode.training && this.isFrozen(`${name}.mean`) && normalizer.applyFrozen;
    return frozen ? frozen(x, application) : normalizer.apply(x, application);
  }

  isNormalized(name: string): boolean {
    return !this.normalizerOf(name).isNone;
  }

  startsBranchAtZero(name: string): boolean {
    return this.normalizerOf(name).zeroBranches ?? false;
  }

  relu(x: Tensor): Tensor {
    return relu(x);
  }

  add(x: Tensor, y: Tensor): Tensor {
    return x.add(y);
  }

  maxPool(x: Tensor, window: Pooling): Tensor {
    return maxPool(x, windowOf(window, x.rank - 2), this.kernels);
  }

  flatten(x: Tensor): Tensor {
    return x.reshape([x.shape[0], -1]);
  }

  dropout(x: Tensor, rate: number): Tensor {
    const { dropoutSeed } = this.inputs;
    if (rate === 0 || !dropoutSeed) return x;
    // Each layer its own seed.
    return dropout(x, rate, dropoutSeed.add(tf.tensor1d([0, this.dropouts++], 'int32')));
  }

  subsample(x: Tensor, stride: PerDimension, channels: number): Tensor {
    return subsample(x, perDimension(stride, x.rank - 2), channels, this.kernels);
  }

  channels(x: Tensor): number {
    return x.shape.at(-1)!;
  }

  globalAveragePool(x: Tensor): Tensor {
    return globalAverage(x, this.kernels);
  }

  dense(name: string, x: Tensor): Tensor {
    const weight = this.step.variable(`${name}.weight`) as Tensor2D;
    return (x as Tensor2D).matMul(weight).add(this.step.variable(`${name}.bias`));
  }

  upsample(x: Tensor): Tensor {
    return upsample(x);
  }

  deconv(name: string, x: Tensor): Tensor {
    const { precision } = this.mode;
    const y = transposedConvolution(x, this.step.variable(`${name}.weight`), precision, this.kernels);
    return y.add(this.step.variable(`${name}.bias`));
  }
}
