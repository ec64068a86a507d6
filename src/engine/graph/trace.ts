import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import { upload } from '../eager.js';
import { stepScope } from '../gradients.js';
import type { Kernels } from '../kernel-table.js';
import { backend } from '../load.js';
import type { Feed, StepFunction, Values, VariableValue } from '../program.js';
import { dtypeAttribute, type Output } from './graph.js';
import { RecordedStep } from './recorded-step.js';
import { Recorder } from './recorder.js';
import type { Handles } from './variables.js';

/** A step as the session knows it: the names it is fed and fetched by. */
export interface SessionStep {
  feeds: { name: string; input: string; shape: number[]; type: number }[];
  outputs: { name: string; output: string }[];
}

const types = { float32: DataType.float, int32: DataType.int32, uint8: DataType.uint8 };

/**
 * Runs a step once and records it.
 * @param pass two passes are fed different values: whatever else differs between them cannot be replayed
 */
export function trace(
  name: string,
  feeds: Record<string, Feed>,
  step: StepFunction,
  {
    handles,
    initial,
    kernels,
    pass,
  }: { handles: Handles; initial: Record<string, VariableValue>; kernels: Kernels; pass: number },
): { recorder: Recorder; step: SessionStep } {
  const recorder = new Recorder(name);
  const outputs = stepScope(() => {
    const tensors = new Map<string, Tensor>();
    for (const [key, feed] of Object.entries(feeds)) {
      const tensor = upload(feed, sample(feed, pass));
      recorder.bind(idOf(tensor), placeholder(recorder, key, feed));
      tensors.set(key, tensor);
    }
    const context = new RecordedStep(recorder, handles, initial, tensors, kernels);
    const results = recorder.record(() => step(context));
    context.orderUpdates();
    return Object.entries(results).map(([key, tensor]) => {
      const source = recorder.outputOf(idOf(tensor), `the step's output "${key}"`);
      const attributes = { T: dtypeAttribute(source.dtype) };
      const shape = { dtype: source.dtype, shape: source.shape };
      recorder.add('Identity', [source], attributes, [shape], {
        name: `fetch/${key}`,
        after: context.updates,
      });
      return { name: key, output: `${name}/fetch/${key}:0` };
    });
  });
  const fed = Object.entries(feeds).map(([key, { shape, dtype }]) => ({
    name: key,
    input: `${name}/${key}:0`,
    shape,
    type: types[dtype],
  }));
  return { recorder, step: { feeds: fed, outputs } };
}

const idOf = (tensor: Tensor): number => backend.getInputTensorIds([tensor])[0];

function placeholder(recorder: Recorder, name: string, { shape, dtype }: Feed): Output {
  const type = types[dtype];
  const attributes = { dtype: dtypeAttribute(type), shape: { kind: 'shape', value: shape } as const };
  return recorder.add('Placeholder', [], attributes, [{ dtype: type, shape }], { name })[0];
}

/** Values to trace with, unlike from pass to pass; small, so that they are sound as labels too. */
function sample({ shape, dtype }: Feed, pass: number): Values {
  const size = shape.reduce((product, length) => product * length, 1);
  if (dtype === 'uint8')
    return Uint8Array.from({ length: size }, (_, index) => (index * (7 + pass) + pass) % 251);
  if (dtype === 'int32') return new Int32Array(size).fill(pass);
  return new Float32Array(size).fill(0.1 + 0.1 * pass);
}
