import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType, type Precision } from '../data-type.js';
import type { Kernels } from '../kernel-table.js';
import { type OpAttribute, tf } from '../load.js';
import { bools, differentiable, execute, integers, ints, text, type } from '../operation.js';

export interface ConvolutionOptions {
  /** For each dimension of the pixels, as the padding. */
  stride: readonly number[];
  padding: readonly number[];
  precision: Precision;
  /** The input is the image itself: its gradient is never needed, and may be left at zero. */
  ofImage?: boolean;
}

/**
 * Convolution in two or three dimensions with PyTorch's symmetric padding (TensorFlow's SAME pads unevenly at stride 2).
 * @param x `[N, …pixels, C]`
 * @param weight `[…kernel, C, filters]`
 * @returns `[N, …pixels, filters]`, of each dimension `floor((size + 2·padding − kernel) / stride) + 1`
 */
export function convolution(
  x: Tensor,
  weight: Tensor,
  options: ConvolutionOptions,
  kernels: Kernels,
): Tensor {
  const { stride, padding, precision, ofImage = false } = options;
  if (x.rank === 5 && weight.shape[0] === 1 && stride[0] === 1 && padding[0] === 0) {
    return frameByFrame(x, weight, options, kernels);
  }
  const fits = kernels.convolution?.fits({
    input: x.shape,
    weight: weight.shape,
    stride,
    padding,
    precision,
    ofImage,
  });
  if (fits) return customConvolution(x, weight, stride[0], ofImage);
  return x.rank === 5 ? convolution3d(x, weight, options) : convolution2d(x, weight, options);
}

/** A convolution that does not reach from one frame to the next is one of two dimensions on all frames. */
function frameByFrame(x: Tensor, weight: Tensor, options: ConvolutionOptions, kernels: Kernels): Tensor {
  const [images, frames, ...frame] = x.shape;
  const { stride, padding } = options;
  const plane = { ...options, stride: stride.slice(1), padding: padding.slice(1) };
  const filter = weight.reshape(weight.shape.slice(1));
  const y = convolution(x.reshape([images * frames, ...frame]), filter, plane, kernels);
  return y.reshape([images, frames, ...y.shape.slice(1)]);
}

function convolution2d(x: Tensor, weight: Tensor, { stride, padding }: ConvolutionOptions): Tensor {
  const attributes = () => [
    type('T', DataType.float),
    ints('strides', [1, ...stride, 1]),
    bools('use_cudnn_on_gpu', true),
    ints('dilations', [1, 1, 1, 1]),
    text('data_format', 'NHWC'),
    ...explicitPadding(x.shape, weight.shape, stride, padding),
  ];
  return differentiable(
    [x, weight],
    (input, filter) => ({
      value: execute('Conv2D', attributes(), [input, filter])[0],
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

/** TensorFlow's own knows no explicit padding: what is not SAME or VALID is padded before. */
function convolution3d(x: Tensor, weight: Tensor, options: ConvolutionOptions): Tensor {
  const { stride, padding } = options;
  const known = impliedPadding(x.shape, weight.shape, stride, padding);
  if (!known) {
    const padded = tf.pad(x, [[0, 0], ...padding.map((each): [number, number] => [each, each]), [0, 0]]);
    return convolution3d(padded, weight, { ...options, padding: padding.map(() => 0) });
  }
  const attributes = () => [
    type('T', DataType.float),
    ints('strides', [1, ...stride, 1]),
    ints('dilations', [1, 1, 1, 1, 1]),
    text('data_format', 'NDHWC'),
    text('padding', known),
  ];
  return differentiable(
    [x, weight],
    (input, filter) => ({
      value: execute('Conv3D', attributes(), [input, filter])[0],
      saved: [input, filter],
    }),
    (gradient, [input, filter]) => {
      const sizes = [...attributes(), type('Tshape', DataType.int32)];
      const shape = integers(filter.shape);
      return [
        ...execute('Conv3DBackpropInputV2', sizes, [integers(input.shape), filter, gradient]),
        ...execute('Conv3DBackpropFilterV2', attributes(), [input, shape, gradient]),
      ];
    },
  );
}

/** TensorFlow's name for this padding, if it has one: SAME where it means the same, as its kernels are better tuned. */
function impliedPadding(
  input: readonly number[],
  weight: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
): 'VALID' | 'SAME' | undefined {
  if (padding.every((each) => each === 0)) return 'VALID';
  const same = padding.every((each, index) => {
    const [size, kernel, step] = [input[index + 1], weight[index], stride[index]];
    const total = Math.max(0, (Math.ceil(size / step) - 1) * step + kernel - size);
    return total === 2 * each && Math.ceil(size / step) === Math.floor((size + total - kernel) / step) + 1;
  });
  return same ? 'SAME' : undefined;
}

function explicitPadding(...of: Parameters<typeof impliedPadding>): OpAttribute[] {
  const known = impliedPadding(...of);
  if (known) return [text('padding', known)];
  const pads = [0, 0, ...of[3].flatMap((each) => [each, each]), 0, 0];
  return [text('padding', 'EXPLICIT'), ints('explicit_paddings', pads)];
}

/** gnbench's own kernels have no set-up cost, which at a few small images a step is most of what TensorFlow's take. */
function customConvolution(x: Tensor, weight: Tensor, stride: number, ofImage: boolean): Tensor {
  const [, height, width] = x.shape;
  const strides = ints('stride', stride);
  return differentiable(
    [x, weight],
    (input, filter) => ({
      value: execute('GnbenchConv', [strides], [input, filter])[0],
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
