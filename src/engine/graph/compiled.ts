import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { cacheFolder } from '../../cache.js';
import { upload } from '../eager.js';
import { stepScope } from '../gradients.js';
import { backend, loaded, tf } from '../load.js';
import type {
  AverageUpdate,
  Feed,
  MomentumUpdate,
  Program,
  Step,
  StepFunction,
  Values,
  VariableValue,
} from '../program.js';
import { toBfloat16 } from './bfloat16.js';
import { fuseAdditions } from './fuse.js';
import { DataType, type Node, type Output, savedModel } from './graph.js';
import { assertReplayable, Recorder } from './recorder.js';
import { allowWinograd } from './winograd.js';

export interface CompileOptions {
  precision: 'float32' | 'bfloat16';
  /** How gnbench's own kernels compute 3×3 convolutions in float32. */
  convolutions: 'direct' | 'winograd';
}

/** A step as the session knows it: the names it is fed and fetched by. */
interface CompiledStep {
  feeds: { name: string; shape: number[]; type: number }[];
  feedNames: string;
  outputs: string[];
  outputNames: string;
}

const tensorType = (shape: number[]) => ({ dtype: DataType.float, shape });
const dtypeAttribute = (value: number) => ({ kind: 'type', value }) as const;

/**
 * Records each step once and replays it as one graph in one session, which owns the variables: a run feeds images,
 * labels and the rate, and fetches what the step returned, after all updates.
 */
export class CompiledProgram implements Program {
  private readonly shared = new Recorder('variables');
  private readonly handles = new Map<string, { handle: Output; shape: number[] }>();
  private nodes: Node[] = [];
  private readonly steps = new Map<string, CompiledStep>();
  private session: number | undefined;

  constructor(
    private readonly initial: Record<string, VariableValue>,
    private readonly options: Partial<CompileOptions> = {},
  ) {
    for (const [name, { shape }] of Object.entries(initial)) {
      const attributes = {
        dtype: dtypeAttribute(DataType.float),
        shape: { kind: 'shape', value: shape } as const,
        shared_name: { kind: 'string', value: name } as const,
      };
      const resource = [{ dtype: DataType.resource, shape: [] }];
      const [handle] = this.shared.add('VarHandleOp', [], attributes, resource, { name });
      this.handles.set(name, { handle, shape });
    }
    this.defineTransfer();
  }

  define(name: string, feeds: Record<string, Feed>, step: StepFunction): void {
    const first = this.trace(name, feeds, step, 0);
    assertReplayable(first.recorder, this.trace(name, feeds, step, 1).recorder);
    let nodes = fuseAdditions(first.recorder.nodes);
    if (this.options.convolutions === 'winograd') nodes = allowWinograd(nodes);
    if (this.options.precision === 'bfloat16') nodes = toBfloat16(nodes);
    this.nodes.push(...nodes);
    this.steps.set(name, first.step);
  }

  run(name: string, values: Record<string, Values>): Record<string, Float32Array> {
    this.session ??= this.start();
    const step = this.steps.get(name)!;
    const { binding } = backend;
    const inputs = step.feeds.map((feed) => binding.createTensor(feed.shape, feed.type, values[feed.name]));
    try {
      const results = binding.runSavedModel(this.session, inputs, step.feedNames, step.outputNames);
      const fetched: Record<string, Float32Array> = {};
      step.outputs.forEach((output, index) => {
        fetched[output] = binding.tensorDataSync(results[index].id) as Float32Array;
        binding.deleteTensor(results[index].id);
      });
      return fetched;
    } finally {
      for (const id of inputs) binding.deleteTensor(id);
    }
  }

  read(names = [...this.handles.keys()]): Record<string, VariableValue> {
    const all = this.run('read', {});
    return Object.fromEntries(
      names.map((name) => [name, { shape: this.handles.get(name)!.shape, data: all[name] }]),
    );
  }

  write(values: Record<string, VariableValue>): void {
    const missing = [...this.handles.keys()].filter((name) => !(name in values));
    const kept = missing.length > 0 ? this.read(missing) : {};
    this.run(
      'write',
      Object.fromEntries(Object.entries({ ...kept, ...values }).map(([name, { data }]) => [name, data])),
    );
  }

  dispose(): void {
    if (this.session !== undefined) backend.binding.deleteSavedModel(this.session);
    this.session = undefined;
  }

  /** Loads the graph into a session and gives the variables their first values. */
  private start(): number {
    mkdirSync(cacheFolder(), { recursive: true, mode: 0o755 });
    const folder = mkdtempSync(join(cacheFolder(), 'graph-'));
    try {
      writeFileSync(join(folder, 'saved_model.pb'), savedModel([...this.shared.nodes, ...this.nodes]));
      this.session = backend.binding.loadSavedModel(folder, 'serve');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    this.write(this.initial);
    return this.session;
  }

  /** The steps `read` and `write`, which move all variables out of and into the session. */
  private defineTransfer(): void {
    const recorder = new Recorder('transfer');
    const names = [...this.handles.keys()];
    const assigned = names.map((name) => {
      const { handle, shape } = this.handles.get(name)!;
      const [value] = placeholder(recorder, `write/${name}`, { shape, dtype: 'float32' });
      const dtype = dtypeAttribute(DataType.float);
      recorder.add('AssignVariableOp', [handle, value], { dtype }, [], { name: `assign/${name}` });
      return `transfer/assign/${name}`;
    });
    const content = new Uint8Array(4);
    const attributes = {
      dtype: dtypeAttribute(DataType.float),
      value: { kind: 'tensor', value: { ...tensorType([]), content } } as const,
    };
    recorder.add('Const', [], attributes, [tensorType([])], { name: 'written', after: assigned });
    for (const name of names) {
      const { handle, shape } = this.handles.get(name)!;
      const dtype = dtypeAttribute(DataType.float);
      recorder.add('ReadVariableOp', [handle], { dtype }, [tensorType(shape)], { name: `read/${name}` });
    }
    this.nodes.push(...recorder.nodes);
    this.steps.set('write', {
      feeds: names.map((name) => ({ name, shape: this.handles.get(name)!.shape, type: DataType.float })),
      feedNames: names.map((name) => `transfer/write/${name}:0`).join(','),
      outputs: ['written'],
      outputNames: 'transfer/written:0',
    });
    this.steps.set('read', {
      feeds: [],
      feedNames: '',
      outputs: names,
      outputNames: names.map((name) => `transfer/read/${name}:0`).join(','),
    });
  }

  private trace(name: string, feeds: Record<string, Feed>, step: StepFunction, pass: number) {
    const recorder = new Recorder(name);
    const outputs = stepScope(() => {
      const tensors = new Map<string, Tensor>();
      for (const [key, feed] of Object.entries(feeds)) {
        const tensor = upload(feed, sample(feed, pass));
        recorder.bind(idOf(tensor), placeholder(recorder, key, feed)[0]);
        tensors.set(key, tensor);
      }
      const context = new RecordedStep(recorder, this.handles, this.initial, tensors);
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
        return key;
      });
    });
    const types = { float32: DataType.float, int32: DataType.int32, uint8: DataType.uint8 };
    const compiled: CompiledStep = {
      feeds: Object.entries(feeds).map(([key, { shape, dtype }]) => ({
        name: key,
        shape,
        type: types[dtype],
      })),
      feedNames: Object.keys(feeds)
        .map((key) => `${name}/${key}:0`)
        .join(','),
      outputs,
      outputNames: outputs.map((key) => `${name}/fetch/${key}:0`).join(','),
    };
    return { recorder, step: compiled };
  }
}

const idOf = (tensor: Tensor): number => backend.getInputTensorIds([tensor])[0];

function placeholder(recorder: Recorder, name: string, { shape, dtype }: Feed): Output[] {
  const type = { float32: DataType.float, int32: DataType.int32, uint8: DataType.uint8 }[dtype];
  const attributes = { dtype: dtypeAttribute(type), shape: { kind: 'shape', value: shape } as const };
  return recorder.add('Placeholder', [], attributes, [{ dtype: type, shape }], { name });
}

/** Values to trace with, unlike from pass to pass; small, so that they are sound as labels too. */
function sample({ shape, dtype }: Feed, pass: number): Values {
  const size = shape.reduce((product, length) => product * length, 1);
  if (dtype === 'uint8')
    return Uint8Array.from({ length: size }, (_, index) => (index * (7 + pass) + pass) % 251);
  if (dtype === 'int32') return new Int32Array(size).fill(pass);
  return new Float32Array(size).fill(0.1 + 0.1 * pass);
}

/** Reads become ReadVariableOp, updates become nodes that wait for the reads and that the step's outputs wait for. */
class RecordedStep implements Step {
  /** The updates' nodes. */
  readonly updates: string[] = [];
  /** The nodes that read variables. */
  private readonly reads: string[] = [];
  private readonly read = new Map<string, Tensor>();
  /** The binding that does not record: a variable's value is no constant of the graph. */
  private readonly binding = backend.binding;

  constructor(
    private readonly recorder: Recorder,
    private readonly handles: Map<string, { handle: Output; shape: number[] }>,
    private readonly initial: Record<string, VariableValue>,
    private readonly feeds: Map<string, Tensor>,
  ) {}

  variable(name: string): Tensor {
    const known = this.read.get(name);
    if (known) return known;
    const { handle, shape } = this.handles.get(name)!;
    const id = this.binding.createTensor(shape, DataType.float, this.initial[name].data);
    const attributes = { dtype: dtypeAttribute(DataType.float) };
    const [output] = this.recorder.add('ReadVariableOp', [handle], attributes, [tensorType(shape)], {
      name: `read/${name}`,
    });
    this.reads.push(output.node);
    this.recorder.bind(id, output);
    const tensor = backend.createOutputTensor({ id, shape, dtype: DataType.float });
    this.read.set(name, tensor);
    return tensor;
  }

  feed(name: string): Tensor {
    return this.feeds.get(name)!;
  }

  assign(name: string, value: Tensor): void {
    this.update('AssignVariableOp', [this.handles.get(name)!.handle, this.output(value)], {
      dtype: dtypeAttribute(DataType.float),
    });
  }

  momentum(update: MomentumUpdate): void {
    const { variables, velocities, gradients, decayed, rate, weightDecay, momentum, nesterov } = update;
    const handle = (name: string) => this.handles.get(name)!.handle;
    if (loaded.fused) {
      const inputs = [
        ...variables.map(handle),
        ...velocities.map(handle),
        ...gradients.map((gradient) => this.output(gradient)),
        this.output(rate),
        this.output(tf.scalar(weightDecay)),
      ];
      this.update('GnbenchSgd', inputs, {
        N: { kind: 'int', value: variables.length },
        momentum: { kind: 'float', value: momentum },
        nesterov: { kind: 'bool', value: nesterov },
        decay_mask: { kind: 'bool', value: decayed },
      });
      return;
    }
    const momentumOutput = this.output(tf.scalar(momentum));
    for (const [index, name] of variables.entries()) {
      const decay = decayed[index] && weightDecay !== 0;
      const gradient = decay ? gradients[index].add(this.variable(name).mul(weightDecay)) : gradients[index];
      const inputs = [handle(name), handle(velocities[index]), this.output(rate), this.output(gradient)];
      this.update('ResourceApplyMomentum', [...inputs, momentumOutput], {
        T: dtypeAttribute(DataType.float),
        use_locking: { kind: 'bool', value: false },
        use_nesterov: { kind: 'bool', value: nesterov },
      });
    }
  }

  movingAverage({ variables, values, scales, momentum }: AverageUpdate): void {
    if (loaded.fused) {
      const handles = variables.map((name) => this.handles.get(name)!.handle);
      this.update('GnbenchMovingAverage', [...handles, ...values.map((value) => this.output(value))], {
        N: { kind: 'int', value: variables.length },
        momentum: { kind: 'float', value: momentum },
        scales: { kind: 'float', value: scales },
      });
      return;
    }
    for (const [index, name] of variables.entries()) {
      const old = this.variable(name);
      const value = values[index].flatten().slice(0, old.size).reshape(old.shape);
      this.assign(name, old.mul(momentum).add(value.mul((1 - momentum) * scales[index])));
    }
  }

  /**
   * Makes every update wait until the step has read all of its variables, those that it reads after the update was
   * asked for included. TensorFlow runs operations in any order that their edges allow, and an update need not depend
   * on the reads: Batch Renormalization reads its running statistics beside the operation that moves them.
   */
  orderUpdates(): void {
    if (this.reads.length === 0) return;
    const updates = new Set(this.updates);
    this.recorder.add('NoOp', [], {}, [], { name: 'reads', after: this.reads });
    const gate = this.recorder.nodes.at(-1)!.name;
    for (const node of this.recorder.nodes) if (updates.has(node.name)) node.after.push(gate);
  }

  private output(tensor: Tensor): Output {
    return this.recorder.outputOf(idOf(tensor), 'an update');
  }

  private update(op: string, inputs: Output[], attributes: Node['attributes']): void {
    this.recorder.add(op, inputs, attributes, [], { name: `update/${this.updates.length}` });
    this.updates.push(`${this.recorder.nodes.at(-1)!.name}`);
  }
}
