import type { Tensor4D } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import type { Kernels } from '../kernel-table.js';
import { tf } from '../load.js';
import { differentiable, execute, integers, ints, type } from '../operation.js';

/**
 * The identity shortcut of He et al. 2016 (type A): every `stride`-th pixel, and channels of zeros behind.
 * @param x `[N, H, W, C]` @returns `[N, ⌈H/stride⌉, ⌈W/stride⌉, channels]`
 */
export function subsample(x: Tensor4D, stride: number, channels: number, kernels: Kernels): Tensor4D {
  if (kernels.subsample?.fits(x.shape)) return ownSubsample(x, stride, channels);
  const sliceTypes = [
    type('T', DataType.float),
    type('Index', DataType.int32),
    // Masks: bit i set means "from the start" and "to the end" on axis i.
    ints('begin_mask', 0b1111),
    ints('end_mask', 0b1111),
    ints('ellipsis_mask', 0),
    ints('new_axis_mask', 0),
    ints('shrink_axis_mask', 0),
  ];
  const bounds = () => [integers([0, 0, 0, 0]), integers([0, 0, 0, 0]), integers([1, stride, stride, 1])];
  const extra = channels - x.shape[3];
  return differentiable(
    [x],
    (input) => {
      const [sliced] = execute('StridedSlice', sliceTypes, [input, ...bounds()]);
      const paddings = tf.tensor2d([0, 0, 0, 0, 0, 0, 0, extra], [4, 2], 'int32');
      const padTypes = [type('T', DataType.float), type('Tpaddings', DataType.int32)];
      return { value: execute('Pad', padTypes, [sliced, paddings])[0] as Tensor4D, saved: [] };
    },
    (gradient) => {
      const kept = [...gradient.shape.slice(0, 3), x.shape[3]];
      const sliceOf = [type('T', DataType.float), type('Index', DataType.int32)];
      const [dy] = execute('Slice', sliceOf, [gradient, integers([0, 0, 0, 0]), integers(kept)]);
      return execute('StridedSliceGrad', sliceTypes, [integers(x.shape), ...bounds(), dy]);
    },
  );
}

function ownSubsample(x: Tensor4D, stride: number, channels: number): Tensor4D {
  const [, height, width, inner] = x.shape;
  const shared = [type('T', DataType.float), ints('stride', stride)];
  const size = [ints('height', height), ints('width', width), ints('channels', inner)];
  return differentiable(
    [x],
    (input) => {
      const [y] = execute('GnbenchSubsample', [...shared, ints('channels', channels)], [input]);
      return { value: y as Tensor4D, saved: [] };
    },
    (gradient) => execute('GnbenchSubsampleGrad', [...shared, ...size], [gradient]),
  );
}
