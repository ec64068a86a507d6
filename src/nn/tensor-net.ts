/** A `Net` that computes: layers as TensorFlow operations on the variables of a step. */
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node-gpu';
import { outlive } from '../engine/gradients.js';
import { tf } from '../engine/load.js';
import { dropout } from '../engine/ops/dropout.js';
import { conv2d, globalAveragePool, relu, subsample } from '../engine/ops/ops.js';
import { maxPool } from '../engine/ops/pooling.js';
import type { Step } from '../engine/program.js';
import type { Application, Mode, Normalizer, StatisticsUpdate } from '../normalizers/normalizer.js';
import type { Convolution, Net, Normalization, Pooling } from './net.js';

/** What differs from step to step. */
export interface Present {
  /** The present values of the normalizer's schedules. */
  scheduled(key: string): Tensor;
  /** Of dropout, `[2]`, int32; without it, nothing is dropped. */
  dropoutSeed?: Tensor;
}

export class TensorNet implements Net<Tensor> {
  /** What the running statistics are to be moved towards, in the order of the layers. */
  readonly statistics: StatisticsUpdate[] = [];
  private dropouts = 0;

  constructor(
    private readonly step: Pick<Step, 'variable'>,
    private readonly normalizer: Normalizer,
    private readonly mode: Mode & { precision: 'float32' | 'bfloat16' },
    private readonly present: Present,
    private readonly isFrozen: (variable: string) => boolean = () => false,
  ) {}

  conv(name: string, x: Tensor, { kernel, stride = 1, bias = false }: Convolution): Tensor {
    const variable = this.step.variable(`${name}.weight`) as Tensor4D;
    const weight = this.normalizer.weight?.(variable) ?? variable;
    // In bfloat16 there is a unit for them, and TensorFlow's are slower at every size.
    const { fused, precision } = this.mode;
    const own = !fused ? 'none' : precision === 'bfloat16' ? 'all' : 'small';
    const y = conv2d(x as Tensor4D, weight, { stride, padding: (kernel - 1) / 2, own });
    return bias ? y.add(this.step.variable(`${name}.bias`)) : y;
  }

  norm(name: string, x: Tensor, { relu: withRelu = false, residual }: Normalization<Tensor> = {}): Tensor {
    const application: Application = {
      mode: this.mode,
      relu: withRelu,
      residual,
      variable: (key) => this.step.variable(`${name}.${key}`) as Tensor1D,
      moveStatistic: (key, value, scale) =>
        this.statistics.push({ variable: `${name}.${key}`, value: outlive(value), scale }),
      scheduled: this.present.scheduled,
    };
    // Statistics that do not move are what a frozen layer was trained to the last with, and is evaluated with.
    const given = this.mode.training && this.isFrozen(`${name}.mean`) && this.normalizer.applyGiven;
    return given ? given(x, application) : this.normalizer.apply(x, application);
  }

  relu(x: Tensor): Tensor {
    return relu(x);
  }

  add(x: Tensor, y: Tensor): Tensor {
    return x.add(y);
  }

  maxPool(x: Tensor, { kernel, stride }: Pooling): Tensor {
    return maxPool(x as Tensor4D, { kernel, stride, padding: Math.floor((kernel - 1) / 2) });
  }

  flatten(x: Tensor): Tensor {
    return x.reshape([x.shape[0], -1]);
  }

  dropout(x: Tensor, rate: number): Tensor {
    const { dropoutSeed } = this.present;
    if (rate === 0 || !dropoutSeed) return x;
    // Each layer its own seed.
    return dropout(x, rate, dropoutSeed.add(tf.tensor1d([0, this.dropouts++], 'int32')));
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
