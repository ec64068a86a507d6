/**
 * Writes down what a function of tensors does. While it records, the backend's binding is a stand-in whose prototype
 * is the real one: every operation still runs, for the shapes of its results, and leaves a node behind. TensorFlow.js itself
 * notices nothing, so whatever is written in its operations, gradients included, can be recorded.
 */
import { UserError } from '../../errors.js';
import { type Binding, backend, type OpAttribute, type TensorMetadata } from '../load.js';
import { EmptiedTensors } from './emptied-tensors.js';
import type { Attribute, Node, Output } from './graph.js';

/** Thrown for what cannot be replayed: a mistake in a step's code, not in a user's input. */
export class TraceError extends UserError {
  override name = 'TraceError';
  constructor(message: string, fix: string) {
    super(message, { exitCode: 1, fix });
  }
}

/** Type attributes that TensorFlow.js leaves to eager execution's inference: attribute → input it is the type of. */
const inferredTypes: Record<string, Record<string, number>> = {
  ExpandDims: { T: 0, Tdim: 1 },
  Reshape: { T: 0, Tshape: 1 },
  Transpose: { T: 0, Tperm: 1 },
  Tile: { T: 0, Tmultiples: 1 },
  Sum: { T: 0, Tidx: 1 },
  Mean: { T: 0, Tidx: 1 },
  Max: { T: 0, Tidx: 1 },
  Slice: { T: 0, Index: 1 },
  StridedSlice: { T: 0, Index: 1 },
  PadV2: { T: 0, Tpaddings: 1 },
  ConcatV2: { T: 0, Tidx: -1 },
  Fill: { T: 1, index_type: 0 },
  Squeeze: { T: 0 },
  Identity: { T: 0 },
  Select: { T: 1 },
  GatherV2: { Tparams: 0, Tindices: 1, Taxis: 2 },
};

/** TensorFlow.js calls some operations by a name that TensorFlow keeps for old graphs alone. */
const presentNames: Record<string, string> = { Add: 'AddV2' };

/** Operations whose output may be their first input's memory, although that one is in use elsewhere. */
const views = new Set([
  'Identity',
  'Reshape',
  'ExpandDims',
  'Squeeze',
  'Slice',
  'StridedSlice',
  'Cast',
  'Transpose',
]);

export class Recorder {
  readonly nodes: Node[] = [];
  /** Constants by node name, for comparing two recordings. */
  readonly constants = new Map<string, { op: string; content: Uint8Array }>();
  private readonly outputs = new Map<number, Output>();
  private count = 0;

  /** Names of all nodes start with `prefix/`. */
  constructor(private readonly prefix: string) {}

  /** Declares that the tensor with this id stands for `output`, which exists before the recording. */
  bind(id: number, output: Output): void {
    this.outputs.set(id, output);
  }

  /** The graph's output that the tensor with this id was recorded as. */
  outputOf(id: number, wanted: string): Output {
    const output = this.outputs.get(id);
    if (output) return output;
    throw new TraceError(
      `${wanted} uses a tensor made before the recording began`,
      'pass it as a feed or as state, or make it inside the step',
    );
  }

  /** Adds a node by hand: placeholders, variables, updates. */
  add(
    op: string,
    inputs: Output[],
    attributes: Record<string, Attribute>,
    outputs: { dtype: number; shape: number[] }[] = [],
    options: { name?: string; after?: string[] } = {},
  ): Output[] {
    const name = `${this.prefix}/${options.name ?? `${op}_${this.count++}`}`;
    this.nodes.push({ name, op, inputs, after: options.after ?? [], attributes, outputs });
    return outputs.map((output, index) => ({ node: name, index, ...output }));
  }

  /** Tells whether `output` may lie in the memory of a feed: it is one, or a view of one under another shape. */
  sharesFeed({ node }: Output): boolean {
    const source = this.nodes.find(({ name }) => name === node);
    if (!source) return false;
    return source.op === 'Placeholder' || (views.has(source.op) && this.sharesFeed(source.inputs[0]));
  }

  /** Runs `body` and records every operation in it. */
  record<Result>(body: () => Result): Result {
    const real = backend.binding;
    const emptied = new EmptiedTensors(real);
    const recorder = this;
    const standIn: Binding = Object.create(real, {
      executeOp: {
        value(name: string, attributes: OpAttribute[], inputs: number[], outputs: number) {
          const results = emptied.executeOp(name, attributes, inputs, outputs);
          recorder.operation(name, attributes, inputs, results);
          return results;
        },
      },
      createTensor: {
        value(shape: number[], dtype: number, values: ArrayBufferView) {
          const id = real.createTensor(shape, dtype, values);
          recorder.constant(id, shape, dtype, values);
          return id;
        },
      },
      tensorDataSync: {
        value(id: number) {
          const source = recorder.outputs.get(id)?.node ?? 'a tensor';
          throw new TraceError(
            `the values of ${source} are read in the middle of a step, which a graph cannot replay`,
            'keep the computation in tensors, or return the tensor from the step',
          );
        },
      },
    });
    backend.binding = standIn;
    try {
      return body();
    } finally {
      backend.binding = real;
    }
  }

  private operation(
    op: string,
    attributes: OpAttribute[],
    inputs: number[],
    results: TensorMetadata[],
  ): void {
    const sources = inputs.map((id) => this.outputOf(id, op));
    const named = Object.fromEntries(attributes.map((attribute) => [attribute.name, attributeOf(attribute)]));
    for (const [name, position] of Object.entries(inferredTypes[op] ?? {})) {
      named[name] ??= { kind: 'type', value: sources.at(position)!.dtype };
    }
    const shapes = results.map(({ dtype, shape }) => ({ dtype, shape }));
    const outputs = this.add(presentNames[op] ?? op, sources, named, shapes);
    results.forEach(({ id }, index) => {
      this.outputs.set(id, outputs[index]);
    });
  }

  private constant(id: number, shape: number[], dtype: number, values: ArrayBufferView): void {
    const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const [output] = this.add(
      'Const',
      [],
      { dtype: { kind: 'type', value: dtype }, value: { kind: 'tensor', value: { dtype, shape, content } } },
      [{ dtype, shape }],
    );
    this.constants.set(output.node, { op: 'Const', content });
    this.outputs.set(id, output);
  }
}

function attributeOf({ name, type, value }: OpAttribute): Attribute {
  const { binding } = backend;
  if (type === binding.TF_ATTR_TYPE) return { kind: 'type', value: value as number };
  if (type === binding.TF_ATTR_INT) return { kind: 'int', value: value as number | number[] };
  if (type === binding.TF_ATTR_FLOAT) return { kind: 'float', value: value as number | number[] };
  if (type === binding.TF_ATTR_BOOL) return { kind: 'bool', value: value as boolean | boolean[] };
  if (type === binding.TF_ATTR_STRING) return { kind: 'string', value: value as string };
  if (type === binding.TF_ATTR_SHAPE) return { kind: 'shape', value: value as number[] };
  throw new TraceError(
    `attribute "${name}" has a type that cannot be recorded (${type})`,
    'use another operation',
  );
}
