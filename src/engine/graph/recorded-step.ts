import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import { keepUntilStepEnds } from '../gradients.js';
import type { Kernels } from '../kernel-table.js';
import { backend, tf } from '../load.js';
import type { AverageUpdate, MomentumUpdate, Step, VariableValue } from '../program.js';
import { UpdatedVariables } from '../updated-variables.js';
import { dtypeAttribute, type Node, type Output, tensorType } from './graph.js';
import type { Recorder } from './recorder.js';
import { type Handles, ownCopy } from './variables.js';

const idOf = (tensor: Tensor): number => backend.getInputTensorIds([tensor])[0];

/** Reads become ReadVariableOp, updates become nodes that wait for the reads and that the step's outputs wait for. */
export class RecordedStep implements Step {
  /** The updates' nodes. */
  readonly updates: string[] = [];
  /** The nodes that read variables. */
  private readonly reads: string[] = [];
  private readonly read = new Map<string, Tensor>();
  private readonly updated = new UpdatedVariables();
  /** The binding that does not record: a variable's value is not a constant of the graph. */
  private readonly binding = backend.binding;

  constructor(
    private readonly recorder: Recorder,
    private readonly handles: Handles,
    private readonly initial: Record<string, VariableValue>,
    private readonly feeds: Map<string, Tensor>,
    private readonly kernels: Kernels,
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
    // The loss may be the first to read it, and an update the next: it has to outlast the differentiation.
    const tensor = keepUntilStepEnds(backend.createOutputTensor({ id, shape, dtype: DataType.float }));
    this.read.set(name, tensor);
    return tensor;
  }

  feed(name: string): Tensor {
    return this.feeds.get(name)!;
  }

  assign(name: string, value: Tensor): void {
    this.updated.add(name);
    const output = this.output(value);
    const own = this.recorder.sharesFeed(output) ? ownCopy(this.recorder, output) : output;
    this.update('AssignVariableOp', [this.handles.get(name)!.handle, own], {
      dtype: dtypeAttribute(DataType.float),
    });
  }

  momentum(update: MomentumUpdate): void {
    const { variables, velocities, gradients, decayed, rate, weightDecay, momentum, nesterov } = update;
    const handle = (name: string) => this.handles.get(name)!.handle;
    this.updated.add(...variables, ...velocities);
    if (this.kernels.momentum) {
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

  movingAverage({ variables, values, scales, workers, momentum }: AverageUpdate): void {
    if (this.kernels.movingAverage) {
      this.updated.add(...variables);
      const handles = variables.map((name) => this.handles.get(name)!.handle);
      this.update('GnbenchMovingAverage', [...handles, ...values.map((value) => this.output(value))], {
        N: { kind: 'int', value: variables.length },
        momentum: { kind: 'float', value: momentum },
        scales: { kind: 'float', value: scales },
        workers: { kind: 'int', value: workers },
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
