/** A `Net` that computes: layers as TensorFlow operations on the variables of a step. */
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node-gpu';
import { outlive } from '../engine/gradients.js';
import { conv2d, globalAveragePool, relu, subsample } from '../engine/ops.js';
import type { Step } from '../engine/program.js';
import type { Mode, Normalizer, StatisticsUpdate } from '../normalizers/normalizer.js';
import type { Convolution, Net, Normalization } from './net.js';

export class TensorNet implements Net<Tensor> {
  /** What the running statistics are to be moved towards, in the order of the layers. */
  readonly statistics: StatisticsUpdate[] = [];

  constructor(
    private readonly step: Step,
    private readonly normalizer: Normalizer,
    private readonly mode: Mode,
    /** The present values of the normalizer's schedules. */
    private readonly scheduled: (key: string) => Tensor,
  ) {}

  conv(name: string, x: Tensor, { kernel, stride = 1 }: Convolution): Tensor {
    const variable = this.step.variable(`${name}.weight`) as Tensor4D;
    const weight = this.normalizer.weight?.(variable) ?? variable;
    const own = this.mode.fused && this.mode.precision === 'float32';
    return conv2d(x as Tensor4D, weight, { stride, padding: (kernel - 1) / 2, own });
  }

  norm(name: string, x: Tensor, { relu: withRelu = false, residual }: Normalization<Tensor> = {}): Tensor {
    return this.normalizer.apply(x, {
      mode: this.mode,
      relu: withRelu,
      residual,
      variable: (key) => this.step.variable(`${name}.${key}`) as Tensor1D,
      moveStatistic: (key, value, scale) =>
        this.statistics.push({ variable: `${name}.${key}`, value: outlive(value), scale }),
      scheduled: this.scheduled,
    });
  }

  relu(x: Tensor): Tensor {
    return relu(x);
  }

  subsample(x: Tensor, stride: number, channels: number): Tensor {
    return subsample(x as Tensor4D, stride, channels);
  }

  channels(x: Tensor): number {
    return x.shape.at(-1)!;
  }

  globalAveragePool(x: Tensor): Tensor {
    return globalAveragePool(x);
  }

  dense(name: string, x: Tensor): Tensor {
    const weight = this.step.variable(`${name}.weight`) as Tensor2D;
    return (x as Tensor2D).matMul(weight).add(this.step.variable(`${name}.bias`));
  }
}
