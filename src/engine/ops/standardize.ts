import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import type { Kernels } from '../kernel-table.js';
import { tf } from '../load.js';
import { bools, execute, integers, type } from '../operation.js';

/**
 * (pixel − mean) / std per channel.
 * @param images `[N, …pixels, C]`, uint8
 */
export function standardize(images: Tensor, mean: number[], std: number[], kernels: Kernels): Tensor {
  const scale = std.map((value) => 1 / value);
  // It does not ask in how many dimensions the pixels lie.
  const plane = images.rank > 4 ? [-1, ...images.shape.slice(-3)] : images.shape;
  if (kernels.standardize?.fits(plane)) {
    const inputs = [reshaped(images, plane), tf.tensor1d(mean), tf.tensor1d(scale)];
    return execute('GnbenchImages', [type('T', DataType.float)], inputs)[0].reshape(images.shape);
  }
  const casts = [type('SrcT', DataType.uint8), type('DstT', DataType.float), bools('Truncate', false)];
  const [pixels] = execute('Cast', casts, [images]);
  return pixels.sub(tf.tensor1d(mean)).mul(tf.tensor1d(scale));
}

/** TensorFlow.js has no name for bytes: its own `reshape` would not keep them. */
function reshaped(images: Tensor, shape: number[]): Tensor {
  if (images.shape.length === shape.length) return images;
  const types = [type('T', DataType.uint8), type('Tshape', DataType.int32)];
  return execute('Reshape', types, [images, integers(shape)])[0];
}
