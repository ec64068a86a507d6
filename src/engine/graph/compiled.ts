import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataType, type Precision } from '../data-type.js';
import { gpuError } from '../gpu.js';
import { type Kernels, kernels as kernelsOf } from '../kernel-table.js';
import { backend, loaded } from '../load.js';
import type { DefinedStep, Feed, Program, StepFunction, Values, VariableValue } from '../program.js';
import { toBfloat16 } from './bfloat16.js';
import { fuseAdditions } from './fuse.js';
import { type Node, savedModel } from './graph.js';
import { assertReplayable } from './replayable.js';
import { type SessionStep, trace } from './trace.js';
import { declareVariables, type Handles, readOutput, writeInput, writtenOutput } from './variables.js';
import { allowWinograd } from './winograd.js';
import { compileWithXla } from './xla.js';

export interface GraphOptions {
  precision: Precision;
  /** How gnbench's own kernels compute 3×3 convolutions in float32. */
  convolutions: 'direct' | 'winograd';
  /** The kernels that updates may use; all that the device has, unless said. */
  kernels: Kernels;
  /** Hand each step to XLA. */
  xla: boolean;
}

/**
 * Records each step once and replays it as one graph in one session, which owns the variables: a run feeds images,
 * labels and the rate, and fetches what the step returned, after all updates.
 */
export class CompiledProgram implements Program {
  /** The graph: variables, and the nodes of every step so far. */
  readonly nodes: Node[];
  private readonly handles: Handles;
  private session: number | undefined;

  constructor(
    private initial: Record<string, VariableValue>,
    private readonly options: Partial<GraphOptions> = {},
  ) {
    const { handles, nodes } = declareVariables(initial);
    this.handles = handles;
    this.nodes = nodes;
  }

  define(label: string, feeds: Record<string, Feed>, step: StepFunction): DefinedStep {
    const { precision, convolutions, kernels = kernelsOf('kernels') } = this.options;
    const { handles, initial } = this;
    const [first, second] = [0, 1].map((pass) =>
      onDevice(() => trace(label, feeds, step, { handles, initial, kernels, pass })),
    );
    assertReplayable(first.recorder, second.recorder);
    let nodes = fuseAdditions(first.recorder.nodes);
    if (convolutions === 'winograd') nodes = allowWinograd(nodes);
    if (precision === 'bfloat16') nodes = toBfloat16(nodes);
    if (this.options.xla) nodes = compileWithXla(nodes, label);
    this.nodes.push(...nodes);
    return (values) => this.run(first.step, values);
  }

  private run({ feeds, outputs }: SessionStep, values: Record<string, Values>): Record<string, Float32Array> {
    const fed = feeds.map((feed) => ({ ...feed, values: values[feed.name] }));
    const results = this.call(fed, outputs.map(({ output }) => output).join(','));
    return Object.fromEntries(outputs.map(({ name: output }, index) => [output, results[index]]));
  }

  read(names = [...this.handles.keys()]): Record<string, VariableValue> {
    const results = this.call([], names.map(readOutput).join(','));
    return Object.fromEntries(
      names.map((name, index) => [name, { shape: this.handles.get(name)!.shape, data: results[index] }]),
    );
  }

  write(values: Record<string, VariableValue>): void {
    const names = Object.keys(values);
    const fed = names.map((name) => ({
      input: writeInput(name),
      shape: this.handles.get(name)!.shape,
      type: DataType.float,
      values: values[name].data,
    }));
    this.call(fed, names.map(writtenOutput).join(','));
  }

  dispose(): void {
    if (this.session !== undefined) backend.binding.deleteSavedModel(this.session);
    this.session = undefined;
  }

  /** Runs the session once; the outputs' values are copied out of it. */
  private call(feeds: FedTensor[], outputs: string): Float32Array[] {
    if (outputs === '') return [];
    const session = this.session ?? this.start();
    const { binding } = backend;
    const inputs: number[] = [];
    try {
      return onDevice(() => {
        for (const { shape, type, values } of feeds) inputs.push(binding.createTensor(shape, type, values));
        const names = feeds.map(({ input }) => input).join(',');
        return binding.runSavedModel(session, inputs, names, outputs).map(({ id }) => {
          const values = binding.tensorDataSync(id) as Float32Array;
          binding.deleteTensor(id);
          return values;
        });
      });
    } finally {
      for (const id of inputs) binding.deleteTensor(id);
    }
  }

  /** Loads the graph into a session and gives the variables their first values. */
  private start(): number {
    // In the system's folder for temporary files, not in the cache, which may be shared and only readable.
    const folder = mkdtempSync(join(tmpdir(), 'gnbench-graph-'));
    try {
      writeFileSync(join(folder, 'saved_model.pb'), savedModel(this.nodes));
      this.session = backend.binding.loadSavedModel(folder, 'serve');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    this.write(this.initial);
    // The session has copies, and takes no further steps.
    this.initial = {};
    return this.session;
  }
}

/** Computes; what a GPU answers, to the recording of a step as to a step, comes with its mend. */
function onDevice<Result>(compute: () => Result): Result {
  try {
    return compute();
  } catch (error) {
    throw loaded.device === 'GPU' ? gpuError(error) : error;
  }
}

interface FedTensor {
  input: string;
  shape: number[];
  type: number;
  values: Values;
}
