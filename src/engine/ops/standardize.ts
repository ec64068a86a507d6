import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import type { Kernels } from '../kernel-table.js';
import { tf } from '../load.js';
import { bools, execute, type } from '../operation.js';

/**
 * (pixel − mean) / std per channel.
 * @param images `[N, …pixels, C]`, uint8
 */
export function standardize(images: Tensor, mean: number[], std: number[], kernels: Kernels): Tensor {
  const scale = std.map((value) => 1 / value);
  if (kernels.standardize?.fits(images.shape)) {
    const inputs = [images, tf.tensor1d(mean), tf.tensor1d(scale)];
    return execute('GnbenchImages', [type('T', DataType.float)], inputs)[0];
  }
  const casts = [type('SrcT', DataType.uint8), type('DstT', DataType.float), bools('Truncate', false)];
  const [pixels] = execute('Cast', casts, [images]);
  return pixels.sub(tf.tensor1d(mean)).mul(tf.tensor1d(scale));
}
