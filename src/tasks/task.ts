/** A task: what a network is trained to do. Classification is one; the training loop knows nothing of it. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import type { Instances } from '../coco/instances.js';
import type { Dataset } from '../datasets/dataset.js';
import type { Kernels } from '../engine/kernel-table.js';
import type { Batch, BatchSpec } from '../input/batch.js';
import type { Head } from '../nn/net.js';
import type { Measured } from './metric.js';

/** Tensors by name: a model's outputs, a batch's targets, a step's losses. */
export type Tensors = Record<string, Tensor>;

/** The circumstances of a step. */
export interface StepContext {
  /** TensorFlow.js. */
  tf: typeof import('@tensorflow/tfjs-node-gpu');
  /** The kernels of the device; losses that have one of their own ask for it here. */
  kernels: Kernels;
  /** Applies one of the model's heads to the features of regions, `[R, size, size, C]`. */
  head(name: string, features: Tensor): Tensors;
  /** In a training step of a task that draws at random: the seed of it, `[2]` int32, a function of run and step. */
  seed?: Tensor;
}

export interface Task extends Measured {
  name: string;
  /** The arrays of an example that the losses and the evaluator compare with, beside `images`. */
  targets: BatchSpec;
  /** Layers behind the model's outputs that only this task has. They are walked like the model's own. */
  head?: Head;
  /** The training draws at random, from `seed` of its context. */
  draws?: boolean;
  /**
   * In the graph, for a training batch. The sum of the losses, scalars and means over the batch, is differentiated;
   * counts, sums over the batch, are only logged. Both under the names that `logged` gives, but for a single loss.
   */
  training(outputs: Tensors, targets: Tensors, context: StepContext): { losses: Tensors; counts?: Tensors };
  /** In the graph, for a batch of an evaluation: what leaves it. */
  predictions(outputs: Tensors, targets: Tensors, context: StepContext): Tensors;
  /** Before a run begins. @throws UserError for data that it cannot learn from or be judged on */
  requireData?(dataset: Dataset): void;
  /** On the host, for a whole split. */
  evaluator(split: { views: number; truth?: Instances }): Evaluator;
}

/** Gathers the predictions of a split and makes the task's metrics of them. */
export interface Evaluator {
  /**
   * Takes a batch: `rows` rows, the next in the split's order. An example with several views has as many rows, one
   * after another, and a batch may end between them.
   */
  add(predictions: Batch, targets: Batch, rows: number): void;
  /** Each metric by name; `loss`, where there is one, is the column `val_loss`. */
  result(): Record<string, number>;
  /** Files that are worth keeping beside the metrics in the run's folder: their content by name. */
  files?(): Record<string, string | Uint8Array> | Promise<Record<string, string | Uint8Array>>;
}
