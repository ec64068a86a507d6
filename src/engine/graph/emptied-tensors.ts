import { DataType } from '../data-type.js';
import type { Binding, OpAttribute, TensorMetadata } from '../load.js';

/** Values of the results that are emptied: of smaller ones all together take little memory. */
const least = 2 ** 14;

/**
 * Operations on tensors that keep their shapes alone. A step is recorded by running it operation by operation, and
 * TensorFlow.js keeps all that it makes until the step ends, which is several times what its replay takes. The recording
 * needs shapes: so large results are freed at once, and an operation on one is given zeros.
 */
export class EmptiedTensors {
  private readonly shapes = new Map<number, number[]>();

  constructor(private readonly binding: Binding) {}

  executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): TensorMetadata[] {
    const zeros = new Map<number, number>();
    const filled = inputs.map((id) => {
      const shape = this.shapes.get(id);
      if (!shape) return id;
      if (!zeros.has(id)) zeros.set(id, this.zeros(shape));
      return zeros.get(id)!;
    });
    try {
      const results = this.binding.executeOp(name, attributes, filled, outputs);
      return results.map((result) => this.emptied(result));
    } finally {
      for (const id of zeros.values()) this.binding.deleteTensor(id);
    }
  }

  /** The same for TensorFlow.js, which is given the number of a tensor that takes no memory. */
  private emptied(result: TensorMetadata): TensorMetadata {
    const { id, shape, dtype } = result;
    const size = shape.reduce((product, length) => product * length, 1);
    if (dtype !== DataType.float || size < least) return result;
    this.binding.deleteTensor(id);
    const instead = this.binding.createTensor([], DataType.float, new Float32Array(1));
    this.shapes.set(instead, shape);
    return { id: instead, shape, dtype };
  }

  private zeros(shape: number[]): number {
    const { binding } = this;
    const sides = binding.createTensor([shape.length], DataType.int32, Int32Array.from(shape));
    const zero = binding.createTensor([], DataType.float, new Float32Array(1));
    const types = { T: DataType.float, index_type: DataType.int32 };
    const attributes = Object.entries(types).map(([name, value]) => ({
      name,
      type: binding.TF_ATTR_TYPE,
      value,
    }));
    try {
      return binding.executeOp('Fill', attributes, [sides, zero], 1)[0].id;
    } finally {
      binding.deleteTensor(sides);
      binding.deleteTensor(zero);
    }
  }
}
