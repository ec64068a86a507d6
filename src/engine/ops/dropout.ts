import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import { tf } from '../load.js';
import { execute, type } from '../operation.js';

/**
 * Dropout (Srivastava et al. 2014): sets a share `rate` of the numbers to 0 and scales the others by 1 / (1 − rate).
 * Which ones is a function of the seed alone, so that a step that is replayed or resumed drops the same.
 * @param seed `[2]`, int32
 */
export function dropout<T extends Tensor>(x: T, rate: number, seed: Tensor): T {
  const types = [type('dtype', DataType.float), type('T', DataType.int32), type('Tseed', DataType.int32)];
  const [uniform] = execute('StatelessRandomUniform', types, [tf.tensor1d(x.shape, 'int32'), seed]);
  const kept = uniform.greaterEqual(tf.scalar(rate)).cast('float32');
  return x.mul(kept.mul(1 / (1 - rate))) as T;
}
