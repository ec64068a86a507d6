/**
 * The variables of a graph, and the nodes that move values out of and into them: each variable by itself, so that
 * reading or writing a few does not touch the others.
 */
import { DataType } from '../data-type.js';
import type { VariableValue } from '../program.js';
import { dtypeAttribute, type Node, type Output, tensorType } from './graph.js';
import { Recorder } from './recorder.js';

/** For each variable the node that stands for it. */
export type Handles = ReadonlyMap<string, { handle: Output; shape: number[] }>;

/** The outputs and placeholders by which a session reads and writes the variable with this name. */
export const readOutput = (name: string) => `transfer/read/${name}:0`;
export const writeInput = (name: string) => `transfer/value/${name}:0`;
export const writtenOutput = (name: string) => `transfer/written/${name}:0`;

export function declareVariables(initial: Record<string, VariableValue>): {
  handles: Handles;
  nodes: Node[];
} {
  const recorder = new Recorder('variables');
  const handles = new Map<string, { handle: Output; shape: number[] }>();
  for (const [name, { shape }] of Object.entries(initial)) {
    const attributes = {
      dtype: dtypeAttribute(DataType.float),
      shape: { kind: 'shape', value: shape } as const,
      shared_name: { kind: 'string', value: name } as const,
    };
    const resource = [{ dtype: DataType.resource, shape: [] }];
    const [handle] = recorder.add('VarHandleOp', [], attributes, resource, { name });
    handles.set(name, { handle, shape });
  }
  return { handles, nodes: [...recorder.nodes, ...transferNodes(handles)] };
}

/**
 * A copy of a fed value, made before a variable takes it. TensorFlow.js feeds the memory of the JavaScript array
 * itself, and gives it back with a call into Node when the last tensor that uses it goes. For a variable's value that
 * is in some later step, on whichever thread replaces the value; Node takes such calls from its own thread alone, and
 * two of them at once damage its heap.
 */
export function ownCopy(recorder: Recorder, value: Output): Output {
  const type = { dtype: value.dtype, shape: value.shape };
  return recorder.add('DeepCopy', [value], { T: dtypeAttribute(value.dtype) }, [type])[0];
}

function transferNodes(handles: Handles): Node[] {
  const recorder = new Recorder('transfer');
  const dtype = dtypeAttribute(DataType.float);
  for (const [name, { handle, shape }] of handles) {
    const type = tensorType(shape);
    const fed = { dtype, shape: { kind: 'shape', value: shape } as const };
    const [value] = recorder.add('Placeholder', [], fed, [type], { name: `value/${name}` });
    recorder.add('AssignVariableOp', [handle, ownCopy(recorder, value)], { dtype }, [], {
      name: `assign/${name}`,
    });
    // A session fetches outputs, and an assignment has none.
    const tensor = { ...tensorType([]), content: new Uint8Array(4) };
    recorder.add('Const', [], { dtype, value: { kind: 'tensor', value: tensor } }, [tensorType([])], {
      name: `written/${name}`,
      after: [`transfer/assign/${name}`],
    });
    recorder.add('ReadVariableOp', [handle], { dtype }, [type], { name: `read/${name}` });
  }
  return recorder.nodes;
}
