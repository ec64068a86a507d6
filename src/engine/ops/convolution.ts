import type { Tensor4D } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import type { Kernels } from '../kernel-table.js';
import { type OpAttribute, tf } from '../load.js';
import { bools, differentiable, execute, integers, ints, text, type } from '../operation.js';

export interface ConvolutionOptions {
  stride: number;
  padding: number;
  precision: 'float32' | 'bfloat16';
  /** The input is the image itself: its gradient is never needed, and may be left at zero. */
  ofImage?: boolean;
}

/**
 * 2-D convolution with PyTorch's symmetric padding (TensorFlow's SAME pads unevenly at stride 2).
 * @param x `[N, H, W, C]`
 * @param weight `[kernel, kernel, C, filters]`
 * @returns `[N, H', W', filters]` with `H' = floor((H + 2·padding − kernel) / stride) + 1`
 */
export function convolution(
  x: Tensor4D,
  weight: Tensor4D,
  { stride, padding, precision, ofImage = false }: ConvolutionOptions,
  kernels: Kernels,
): Tensor4D {
  const fits = kernels.convolution?.fits({
    input: x.shape,
    weight: weight.shape,
    stride: [stride, stride],
    padding: [padding, padding],
    precision,
    ofImage,
  });
  return fits
    ? ownConvolution(x, weight, stride, ofImage)
    : tensorflowConvolution(x, weight, stride, padding);
}

function tensorflowConvolution(x: Tensor4D, weight: Tensor4D, stride: number, padding: number): Tensor4D {
  const attributes = () => [
    type('T', DataType.float),
    ints('strides', [1, stride, stride, 1]),
    bools('use_cudnn_on_gpu', true),
    ints('dilations', [1, 1, 1, 1]),
    text('data_format', 'NHWC'),
    ...paddingOf(x.shape, weight.shape[0], stride, padding),
  ];
  return differentiable(
    [x, weight],
    (input, filter) => ({
      value: execute('Conv2D', attributes(), [input, filter])[0] as Tensor4D,
      saved: [input, filter],
    }),
    (gradient, [input, filter]) => {
      const sizes = integers(input.shape);
      const shape = integers(filter.shape);
      return [
        ...execute('Conv2DBackpropInput', attributes(), [sizes, filter, gradient]),
        ...execute('Conv2DBackpropFilter', attributes(), [input, shape, gradient]),
      ];
    },
  );
}

/** SAME where it means the same, since its kernels are the better tuned; else EXPLICIT. */
function paddingOf(shape: number[], kernel: number, stride: number, padding: number): OpAttribute[] {
  if (padding === 0) return [text('padding', 'VALID')];
  const same = shape.slice(1, 3).every((size) => {
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
    return (
      total === 2 * padding && Math.ceil(size / stride) === Math.floor((size + total - kernel) / stride) + 1
    );
  });
  if (same) return [text('padding', 'SAME')];
  const pads = [0, 0, padding, padding, padding, padding, 0, 0];
  return [text('padding', 'EXPLICIT'), ints('explicit_paddings', pads)];
}

/** gnbench's own kernels have no set-up cost, which at a few small images a step is most of what TensorFlow's take. */
function ownConvolution(x: Tensor4D, weight: Tensor4D, stride: number, ofImage: boolean): Tensor4D {
  const [, height, width] = x.shape;
  const strides = ints('stride', stride);
  return differentiable(
    [x, weight],
    (input, filter) => ({
      value: execute('GnbenchConv', [strides], [input, filter])[0] as Tensor4D,
      saved: [input, filter],
    }),
    (gradient, [input, filter]) => {
      const size = [ints('height', height), ints('width', width), bools('has_addend', false)];
      const inputs = [gradient, filter, tf.tensor1d([])];
      const kernel = ints('kernel', filter.shape[0]);
      return [
        ofImage ? tf.zerosLike(input) : execute('GnbenchConvBackpropInput', [strides, ...size], inputs)[0],
        execute('GnbenchConvBackpropFilter', [strides, kernel], [input, gradient])[0],
      ];
    },
  );
}
