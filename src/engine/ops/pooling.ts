import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import type { Kernels } from '../kernel-table.js';
import { loaded } from '../load.js';
import { differentiable, execute, ints, text, type } from '../operation.js';

export interface PoolingOptions {
  /** For each dimension of the pixels, as the other two. */
  kernel: readonly number[];
  stride: readonly number[];
  padding: readonly number[];
}

/**
 * The largest of each window in two or three dimensions, with PyTorch's symmetric padding (of −∞). Of several that are
 * the largest, the first one gets the gradient.
 * @param x `[N, …pixels, C]`
 * @returns `[N, …pixels, C]`, of each dimension `floor((size + 2·padding − kernel) / stride) + 1`
 */
export const maxPool = (x: Tensor, options: PoolingOptions, kernels: Kernels): Tensor =>
  x.rank === 5 ? maxPool3d(x, options, kernels) : maxPool2d(x, options, kernels);

/**
 * Within each frame first, then over the frames. TensorFlow's own operation of three dimensions gives the whole gradient
 * to every one of several equals, on a CPU without oneDNN, and knows no explicit padding.
 */
function maxPool3d(x: Tensor, { kernel, stride, padding }: PoolingOptions, kernels: Kernels): Tensor {
  const [images, frames, height, width, channels] = x.shape;
  const part = (from: number, to: number) => ({
    kernel: kernel.slice(from, to),
    stride: stride.slice(from, to),
    padding: padding.slice(from, to),
  });
  const within = maxPool2d(x.reshape([images * frames, height, width, channels]), part(1, 3), kernels);
  const [, rows, columns] = within.shape;
  if (kernel[0] === 1 && stride[0] === 1) return within.reshape([images, frames, rows, columns, channels]);
  const inTime = part(0, 1);
  const overFrames = {
    kernel: [...inTime.kernel, 1],
    stride: [...inTime.stride, 1],
    padding: [...inTime.padding, 0],
  };
  const over = maxPool2d(within.reshape([images, frames, rows * columns, channels]), overFrames, kernels);
  return over.reshape([images, over.shape[1]!, rows, columns, channels]);
}

function maxPool2d(x: Tensor, options: PoolingOptions, kernels: Kernels): Tensor {
  const { kernel, stride, padding } = options;
  if (kernels.maxPool?.fits({ input: x.shape, kernel })) return customMaxPool2d(x, options);
  const pads = [0, 0, ...padding.flatMap((each) => [each, each]), 0, 0];
  const padded = padding.some((each) => each > 0);
  // XLA pools no windows that reach beyond the edge.
  if (padded && loaded.xla) return maxPool2d(pad(x, padding), { ...options, padding: [0, 0] }, kernels);
  const attributes = () => [
    type('T', DataType.float),
    ints('ksize', [1, ...kernel, 1]),
    ints('strides', [1, ...stride, 1]),
    text('data_format', 'NHWC'),
    text('padding', padded ? 'EXPLICIT' : 'VALID'),
    ...(padded ? [ints('explicit_paddings', pads)] : []),
  ];
  return differentiable(
    [x],
    (input) => {
      const [y] = execute('MaxPool', attributes(), [input]);
      return { value: y, saved: [input, y] };
    },
    (gradient, [input, y]) => execute('MaxPoolGrad', attributes(), [input, y, gradient]),
  );
}

/** The gradient gets the place of each value in its window, a byte, in place of input and output. */
function customMaxPool2d(x: Tensor, { kernel, stride, padding }: PoolingOptions): Tensor {
  const [, height, width] = x.shape;
  const windows = () => [
    type('T', DataType.float),
    ints('kernel', [...kernel]),
    ints('stride', [...stride]),
    ints('padding', [...padding]),
  ];
  return differentiable(
    [x],
    (input) => {
      const [y, taps] = execute('GnbenchMaxPool', windows(), [input], 2);
      return { value: y, saved: [taps] };
    },
    (gradient, [taps]) => {
      const size = [ints('height', height), ints('width', width)];
      return execute('GnbenchMaxPoolGrad', [...windows(), ...size], [gradient, taps]);
    },
  );
}

/** @param x `[N, H, W, C]` */
const pad = (x: Tensor, [rows, columns]: readonly number[]): Tensor =>
  x.pad(
    [
      [0, 0],
      [rows, rows],
      [columns, columns],
      [0, 0],
    ],
    Number.NEGATIVE_INFINITY,
  );
