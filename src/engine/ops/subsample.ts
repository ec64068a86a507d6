import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import type { Kernels } from '../kernel-table.js';
import { tf } from '../load.js';
import { differentiable, execute, integers, ints, type } from '../operation.js';

/**
 * The identity shortcut of He et al. 2016 (type A): every `stride`-th pixel, and channels of zeros behind.
 * @param x `[N, …pixels, C]` @param stride for each dimension of the pixels
 * @returns `[N, …⌈pixels/stride⌉, channels]`
 */
export function subsample(x: Tensor, stride: readonly number[], channels: number, kernels: Kernels): Tensor {
  if (x.rank === 5 && stride[0] === 1) {
    const [images, frames, ...frame] = x.shape;
    const y = subsample(x.reshape([images * frames, ...frame]), stride.slice(1), channels, kernels);
    return y.reshape([images, frames, ...y.shape.slice(1)]);
  }
  const even = stride.every((each) => each === stride[0]);
  if (even && kernels.subsample?.fits(x.shape)) return customSubsample(x, stride[0], channels);
  const all = 2 ** x.rank - 1; // bit i of a mask is axis i
  const sliceTypes = [
    type('T', DataType.float),
    type('Index', DataType.int32),
    ints('begin_mask', all), // from the start
    ints('end_mask', all), // to the end
    ints('ellipsis_mask', 0),
    ints('new_axis_mask', 0),
    ints('shrink_axis_mask', 0),
  ];
  const zeros = () => integers(x.shape.map(() => 0));
  const bounds = () => [zeros(), zeros(), integers([1, ...stride, 1])];
  const inner = x.shape.at(-1)!;
  return differentiable(
    [x],
    (input) => {
      const [sliced] = execute('StridedSlice', sliceTypes, [input, ...bounds()]);
      const pads = x.shape.flatMap((_, axis) => [0, axis === x.rank - 1 ? channels - inner : 0]);
      const paddings = tf.tensor2d(pads, [x.rank, 2], 'int32');
      const padTypes = [type('T', DataType.float), type('Tpaddings', DataType.int32)];
      return { value: execute('Pad', padTypes, [sliced, paddings])[0], saved: [] };
    },
    (gradient) => {
      const kept = [...gradient.shape.slice(0, -1), inner];
      const sliceOf = [type('T', DataType.float), type('Index', DataType.int32)];
      const [dy] = execute('Slice', sliceOf, [gradient, zeros(), integers(kept)]);
      return execute('StridedSliceGrad', sliceTypes, [integers(x.shape), ...bounds(), dy]);
    },
  );
}

function customSubsample(x: Tensor, stride: number, channels: number): Tensor {
  const [, height, width, inner] = x.shape;
  const shared = [type('T', DataType.float), ints('stride', stride)];
  const size = [ints('height', height), ints('width', width), ints('channels', inner)];
  return differentiable(
    [x],
    (input) => {
      const [y] = execute('GnbenchSubsample', [...shared, ints('channels', channels)], [input]);
      return { value: y, saved: [] };
    },
    (gradient) => execute('GnbenchSubsampleGrad', [...shared, ...size], [gradient]),
  );
}
