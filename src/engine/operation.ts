/**
 * TensorFlow operations by their name: those that TensorFlow.js has no function for, or differentiates in many small
 * steps, and gnbench's own. Each is one node, eager and recorded alike.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { backend, type OpAttribute, tf } from './load.js';

const attribute = (type: string, name: string, value: unknown): OpAttribute => ({
  name,
  type: backend.binding[`TF_ATTR_${type}`],
  value,
});
export const ints = (name: string, value: number | number[]) => attribute('INT', name, value);
export const floats = (name: string, value: number | number[]) => attribute('FLOAT', name, value);
export const bools = (name: string, value: boolean | boolean[]) => attribute('BOOL', name, value);
export const text = (name: string, value: string) => attribute('STRING', name, value);
export const type = (name: string, value: number) => attribute('TYPE', name, value);

/** Runs one TensorFlow operation and wraps its outputs as tensors; no gradient. */
export function execute(op: string, attributes: OpAttribute[], inputs: Tensor[], outputs = 1): Tensor[] {
  const results = backend.binding.executeOp(op, attributes, backend.getInputTensorIds(inputs), outputs);
  return results.map((metadata) => backend.createOutputTensor(metadata));
}

type Saved = (tensors: Tensor[]) => void;

/** A function with a gradient of its own: `forward` returns the value and what `backward` needs of it. */
export function differentiable<Value extends Tensor>(
  inputs: Tensor[],
  forward: (...inputs: Tensor[]) => { value: Value; saved: Tensor[] },
  backward: (gradient: Value, saved: Tensor[]) => Tensor[],
): Value {
  const operation = tf.customGrad((...all) => {
    const save = all.pop() as unknown as Saved;
    const { value, saved } = forward(...(all as Tensor[]));
    save(saved);
    return {
      value,
      gradFunc: (gradient: Tensor, kept: Tensor[]) => backward(gradient as Value, kept),
    };
  });
  return operation(...inputs) as Value;
}

/** An int32 vector made from literals: shapes, paddings, axes. */
export const integers = (values: number[]): Tensor => tf.tensor1d(values, 'int32');
