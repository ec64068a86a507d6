/** Feature maps of twice the height and width: by repetition, and by a transposed convolution. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType, type Precision } from '../data-type.js';
import type { Kernels } from '../kernel-table.js';
import { tf } from '../load.js';
import { bools, differentiable, execute, integers, ints, text, type } from '../operation.js';
import { convolution } from './convolution.js';

/** Each pixel becomes a square of 2 × 2. @param x `[N, H, W, C]` @returns `[N, 2H, 2W, C]` */
export function upsample(x: Tensor): Tensor {
  const [, height, width] = x.shape;
  return differentiable(
    [x],
    (input) => {
      const attributes = [
        type('T', DataType.float),
        bools('align_corners', false),
        bools('half_pixel_centers', false),
      ];
      const inputs = [input, integers([2 * height!, 2 * width!])];
      return { value: execute('ResizeNearestNeighbor', attributes, inputs)[0], saved: [] };
    },
    (gradient) => {
      const attributes = [
        type('T', DataType.float),
        ints('ksize', [1, 2, 2, 1]),
        ints('strides', [1, 2, 2, 1]),
        text('padding', 'VALID'),
        text('data_format', 'NHWC'),
      ];
      return [execute('AvgPool', attributes, [gradient])[0].mul(4)];
    },
  );
}

/**
 * A transposed convolution, 2×2 with stride 2: every pixel gives a square of its own, so it is a convolution 1×1 with
 * four times the filters, whose channels are then laid out.
 * @param x `[N, H, W, C]` @param weight `[2, 2, C, filters]` @returns `[N, 2H, 2W, filters]`
 */
export function transposedConvolution(
  x: Tensor,
  weight: Tensor,
  precision: Precision,
  kernels: Kernels,
): Tensor {
  const [images, height, width, channels] = x.shape;
  const filters = weight.shape[3]!;
  const squares = weight.transpose([2, 0, 1, 3]).reshape([1, 1, channels, 4 * filters]);
  const options = { stride: [1, 1], padding: [0, 0], precision };
  const y = convolution(x, squares, options, kernels);
  return tf
    .transpose(y.reshape([images * height, width, 2, 2, filters]), [0, 2, 1, 3, 4])
    .reshape([images, 2 * height, 2 * width, filters]);
}
