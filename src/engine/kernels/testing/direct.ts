/**
 * Runs one operation on plain arrays, past TensorFlow.js's tensors: those know no bfloat16. For tests of the kernels.
 */

import process from 'node:process';
import { DataType } from '../../data-type.js';
import { backend, loaded, type OpAttribute } from '../../load.js';
import { type } from '../../operation.js';

export interface Value {
  shape: number[];
  data: Float32Array;
}

export type Format = 'float' | 'bfloat16';

/** An input: float32 values, and the format they are handed over in. */
export interface Input extends Value {
  format?: Format | 'uint8' | 'int32';
}

/** Runs `op`; bfloat16 inputs are rounded before, bfloat16 and bytes come back as float32. */
export function runOp(op: string, attributes: OpAttribute[], inputs: Input[], outputs: number): Value[] {
  const { binding } = backend;
  const made: number[] = [];
  const cast = (id: number, from: number, to: number) => {
    const types = [type('SrcT', from), type('DstT', to)];
    const [result] = binding.executeOp('Cast', types, [id], 1);
    made.push(result.id);
    return result.id;
  };
  try {
    const ids = inputs.map(({ shape, data, format = 'float' }) => {
      const id = binding.createTensor(shape, DataType.float, data);
      made.push(id);
      return format === 'float' ? id : cast(id, DataType.float, DataType[format]);
    });
    return binding.executeOp(op, attributes, ids, outputs).map(({ id, shape, dtype }) => {
      made.push(id);
      const unread = dtype === DataType.bfloat16 || dtype === DataType.uint8;
      const readable = unread ? cast(id, dtype, DataType.float) : id;
      return { shape, data: Float32Array.from(binding.tensorDataSync(readable)) };
    });
  } finally {
    for (const id of made) binding.deleteTensor(id);
  }
}

/** True on a GPU, or where the kernels for one are emulated. */
export const computesOnGpu = (): boolean =>
  loaded.device === 'GPU' || process.env.GNBENCH_TEST_EMULATED === '1';
