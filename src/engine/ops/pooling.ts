import type { Tensor4D } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import { differentiable, execute, ints, text, type } from '../operation.js';

/**
 * The largest of each window, with PyTorch's symmetric padding (of −∞).
 * @param x `[N, H, W, C]`
 * @returns `[N, H', W', C]` with `H' = floor((H + 2·padding − kernel) / stride) + 1`
 */
export function maxPool(
  x: Tensor4D,
  { kernel, stride, padding }: { kernel: number; stride: number; padding: number },
): Tensor4D {
  const pads = [0, 0, padding, padding, padding, padding, 0, 0];
  const attributes = () => [
    type('T', DataType.float),
    ints('ksize', [1, kernel, kernel, 1]),
    ints('strides', [1, stride, stride, 1]),
    text('data_format', 'NHWC'),
    text('padding', padding === 0 ? 'VALID' : 'EXPLICIT'),
    ...(padding === 0 ? [] : [ints('explicit_paddings', pads)]),
  ];
  return differentiable(
    [x],
    (input) => {
      const [y] = execute('MaxPool', attributes(), [input]);
      return { value: y as Tensor4D, saved: [input, y] };
    },
    (gradient, [input, y]) => execute('MaxPoolGrad', attributes(), [input, y, gradient]),
  );
}
