import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { stepScope } from './gradients.js';
import { backend, tf } from './load.js';
import type {
  AverageUpdate,
  DefinedStep,
  Feed,
  MomentumUpdate,
  Program,
  Step,
  StepFunction,
  Values,
  VariableValue,
} from './program.js';
import { UpdatedVariables } from './updated-variables.js';

/** Runs each step operation by operation: the reference for the compiled form, and the way to debug. */
export class EagerProgram implements Program {
  private readonly variables = new Map<string, Tensor>();

  constructor(initial: Record<string, VariableValue>) {
    this.write(initial);
  }

  define(_label: string, feeds: Record<string, Feed>, step: StepFunction): DefinedStep {
    return (values) => this.run(feeds, step, values);
  }

  private run(
    feeds: Record<string, Feed>,
    step: StepFunction,
    values: Record<string, Values>,
  ): Record<string, Float32Array> {
    return stepScope(() => {
      const context = new EagerStep(
        this.variables,
        new Map(Object.entries(feeds).map(([key, feed]) => [key, upload(feed, values[key])])),
      );
      const results = step(context);
      for (const [variable, value] of context.updates) this.replace(variable, tf.keep(value.clone()));
      return Object.fromEntries(
        Object.entries(results).map(([key, tensor]) => [key, tensor.dataSync() as Float32Array]),
      );
    });
  }

  read(names = [...this.variables.keys()]): Record<string, VariableValue> {
    const entries = names.map((name) => {
      const tensor = this.variables.get(name)!;
      return [name, { shape: tensor.shape, data: tensor.dataSync() as Float32Array }] as const;
    });
    return Object.fromEntries(entries);
  }

  write(values: Record<string, VariableValue>): void {
    for (const [name, { shape, data }] of Object.entries(values)) {
      this.replace(name, tf.keep(tf.tensor(data.slice(), shape, 'float32')));
    }
  }

  dispose(): void {
    for (const tensor of this.variables.values()) tensor.dispose();
    this.variables.clear();
  }

  private replace(name: string, value: Tensor): void {
    this.variables.get(name)?.dispose();
    this.variables.set(name, value);
  }
}

/** A feed as a tensor. uint8, which TensorFlow.js has no name for, goes by the backend. */
export function upload({ shape, dtype }: Feed, values: Values): Tensor {
  const { binding } = backend;
  const type = { float32: binding.TF_FLOAT, int32: binding.TF_INT32, uint8: binding.TF_UINT8 }[dtype];
  const id = binding.createTensor(shape, type, values);
  return backend.createOutputTensor({ id, shape, dtype: type });
}

/** The updates as plain formulas. */
class EagerStep implements Step {
  readonly updates = new Map<string, Tensor>();
  private readonly updated = new UpdatedVariables();

  constructor(
    private readonly variables: Map<string, Tensor>,
    private readonly feeds: Map<string, Tensor>,
  ) {}

  variable(name: string): Tensor {
    return this.variables.get(name)!;
  }

  feed(name: string): Tensor {
    return this.feeds.get(name)!;
  }

  assign(name: string, value: Tensor): void {
    this.updated.add(name);
    this.updates.set(name, value);
  }

  momentum({
    variables,
    velocities,
    gradients,
    decayed,
    rate,
    weightDecay,
    momentum,
    nesterov,
  }: MomentumUpdate) {
    for (const [index, name] of variables.entries()) {
      const weight = this.variable(name);
      const gradient = decayed[index] ? gradients[index].add(weight.mul(weightDecay)) : gradients[index];
      const velocity = this.variable(velocities[index]).mul(momentum).add(gradient);
      const direction = nesterov ? gradient.add(velocity.mul(momentum)) : velocity;
      this.assign(velocities[index], velocity);
      this.assign(name, weight.sub(direction.mul(rate)));
    }
  }

  movingAverage({ variables, values, scales, momentum }: AverageUpdate) {
    for (const [index, name] of variables.entries()) {
      const old = this.variable(name);
      const value = values[index].flatten().slice(0, old.size).reshape(old.shape); // of several workers' values the first one's
      this.assign(name, old.mul(momentum).add(value.mul((1 - momentum) * scales[index])));
    }
  }
}
