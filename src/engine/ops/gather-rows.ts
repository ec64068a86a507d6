/** Rows of tensors by their numbers. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import { tf } from '../load.js';
import { differentiable, execute, ints, type } from '../operation.js';

/**
 * The rows with these numbers, `[K, …]` → `[L, …]`; no gradient. (TensorFlow.js's own `gather` reads the numbers, which
 * a recorded step cannot.)
 */
export function rowsAt(values: Tensor, indices: Tensor): Tensor {
  const attributes = [
    type('Tparams', values.dtype === 'int32' ? DataType.int32 : DataType.float),
    type('Tindices', DataType.int32),
    type('Taxis', DataType.int32),
    ints('batch_dims', 0),
  ];
  return execute('GatherV2', attributes, [values, indices, tf.scalar(0, 'int32')])[0];
}

/** Adds the rows up in a tensor of `count` rows, each at its number; the inverse of `rowsAt`. */
export function addAt(rows: Tensor, indices: Tensor, count: number): Tensor {
  const shape = tf.tensor1d([count, ...rows.shape.slice(1)], 'int32');
  const attributes = [type('T', DataType.float), type('Tindices', DataType.int32)];
  return execute('ScatterNd', attributes, [indices.expandDims(1), rows, shape])[0];
}

/**
 * Chosen rows of every image's own. No row of an image is to be chosen twice where a gradient is wanted.
 * @param values `[N, K, …]`
 * @param chosen the rows' numbers, `[N, L]` int32; −1 gives a row of zeros
 * @returns `[N, L, …]`
 */
export function gatherRows(values: Tensor, chosen: Tensor): Tensor {
  const [images, count, ...row] = values.shape;
  const places = chosen.shape[1]!;
  const size = row.reduce((product, extent) => product * extent, 1);
  const isInt = values.dtype === 'int32';
  const first = tf.range(0, images, 1, 'int32').mul(tf.scalar(count, 'int32')).expandDims(1);
  const indices = chosen.maximum(tf.scalar(0, 'int32')).add(first).flatten();
  const isThere = chosen.greaterEqual(tf.scalar(0, 'int32')).cast(isInt ? 'int32' : 'float32');
  const mask = isThere.reshape([images * places, 1]);
  const take = (input: Tensor) =>
    rowsAt(input.reshape([images * count, size]), indices)
      .mul(mask)
      .reshape([images, places, ...row]);
  if (isInt) return take(values);
  return differentiable(
    [values],
    (input) => ({ value: take(input), saved: [indices, mask] }),
    (gradient, [at, there]) => {
      const rows = gradient.reshape([images * places, size]).mul(there);
      return [addAt(rows, at, images * count).reshape(values.shape)];
    },
  );
}
