import type { Scalar, Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from './data-type.js';
import { tf } from './load.js';
import { execute, type } from './operation.js';

const kept: Tensor[] = [];

/**
 * Keeps a tensor that was made while differentiating until the step ends. TensorFlow.js frees what a differentiated
 * function does not return; error counts and batch statistics are wanted all the same.
 */
export function keepUntilStepEnds<T extends Tensor>(tensor: T): T {
  kept.push(tf.keep(tensor));
  return tensor;
}

/** Runs a step; frees everything that it made and does not return. */
export function stepScope<Result>(body: () => Result): Result {
  try {
    return tf.tidy(body as () => never) as Result;
  } finally {
    for (const tensor of kept.splice(0)) tensor.dispose();
  }
}

/** The value of `loss` and its gradient with respect to each parameter. */
export function lossAndGradients(
  loss: () => Tensor,
  parameters: Tensor[],
): { value: Tensor; gradients: Tensor[] } {
  const { value, grads } = tf.valueAndGrads(() => loss() as Scalar)(parameters);
  return { value, gradients: grads };
}

/** x as a constant to whatever is differentiated. */
export const stopGradient = (x: Tensor): Tensor =>
  execute('StopGradient', [type('T', DataType.float)], [x])[0];
