/**
 * A program is a few named steps (training, evaluation of a whole batch, of the last one) over one set of variables.
 * A step is a function of tensors: it reads variables and feeds, says what the variables become, and returns what the
 * caller wants to see. `EagerProgram` runs it operation by operation; `CompiledProgram` records it once and replays
 * it as one TensorFlow graph. Both give the same numbers.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';

export type Values = Float32Array | Int32Array | Uint8Array;

export interface Feed {
  shape: number[];
  dtype: 'float32' | 'int32' | 'uint8';
}

/** Variables to be updated by SGD in one go, with their gradients in the same order. */
export interface MomentumUpdate {
  variables: string[];
  /** The slot of each variable: v of `v ← m·v + g`. */
  velocities: string[];
  gradients: Tensor[];
  /** For each, true when weight decay is added to its gradient. */
  decayed: boolean[];
  /** Scalar. */
  rate: Tensor;
  weightDecay: number;
  momentum: number;
  nesterov: boolean;
}

/** Running averages to be moved in one go: `v ← m·v + (1 − m)·scale·value`, where the value is the first worker's. */
export interface AverageUpdate {
  variables: string[];
  values: Tensor[];
  scales: number[];
  /** The workers whose values each tensor of `values` holds, one row each. */
  workers: number[];
  momentum: number;
}

/** The view that a step has of its program. Updates take effect together, after everything was read. */
export interface Step {
  variable(name: string): Tensor;
  feed(name: string): Tensor;
  assign(name: string, value: Tensor): void;
  momentum(update: MomentumUpdate): void;
  movingAverage(update: AverageUpdate): void;
}

export type StepFunction = (step: Step) => Record<string, Tensor>;

export interface VariableValue {
  shape: number[];
  data: Float32Array;
}

/** Runs a step; blocks until its results are there. */
export type DefinedStep = (feeds: Record<string, Values>) => Record<string, Float32Array>;

export interface Program {
  /**
   * Adds a step. All steps are defined before the first one runs.
   *
   * @param label names the step in traces; no other step has it
   * @returns the step, to be run
   */
  define(label: string, feeds: Record<string, Feed>, step: StepFunction): DefinedStep;
  /** The values of variables, all if none are named; copied. */
  read(names?: string[]): Record<string, VariableValue>;
  /** Sets variables; those that are not named keep their values. */
  write(values: Record<string, VariableValue>): void;
  dispose(): void;
}
