import type { Tensor, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import type { Kernels } from '../kernel-table.js';
import { bools, differentiable, execute, integers, ints, type } from '../operation.js';

/**
 * Mean over all pixels.
 * @param x `[N, …pixels, C]` @returns `[N, C]`
 */
export function globalAverage(x: Tensor, kernels: Kernels): Tensor2D {
  const [images, ...pixelsOf] = x.shape;
  const [width, inner] = pixelsOf.slice(-2);
  // The mean does not ask in how many dimensions the pixels lie.
  const plane = x.rank > 4 ? [images, x.size / (images * width * inner), width, inner] : x.shape;
  if (kernels.globalAverage?.fits(plane)) return customGlobalAverage(x.reshape(plane));
  const axes = x.shape.slice(1, -1).map((_, index) => index + 1);
  const pixels = x.shape.slice(1, -1).reduce((product, size) => product * size, 1);
  const types = [type('T', DataType.float), type('Tidx', DataType.int32)];
  return differentiable(
    [x],
    (input) => ({
      value: execute('Mean', [bools('keep_dims', false), ...types], [input, integers(axes)])[0] as Tensor2D,
      saved: [],
    }),
    (gradient) => {
      const perPixel = gradient.mul(1 / pixels).reshape([x.shape[0], ...axes.map(() => 1), x.shape.at(-1)!]);
      return execute('BroadcastTo', types, [perPixel, integers(x.shape)]);
    },
  );
}

function customGlobalAverage(x: Tensor): Tensor2D {
  const float = type('T', DataType.float);
  const [, height, width] = x.shape as number[];
  const size = [ints('height', height), ints('width', width)];
  return differentiable(
    [x],
    (input) => ({ value: execute('GnbenchGlobalAverage', [float], [input])[0] as Tensor2D, saved: [] }),
    (gradient) => execute('GnbenchGlobalAverageGrad', [float, ...size], [gradient]),
  );
}
