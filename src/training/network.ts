/** A network as a step computes it: model, task and normalizer, apart from the values of its variables. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import type { Config } from '../config/schema.js';
import type { Kernels } from '../engine/kernel-table.js';
import { tf } from '../engine/load.js';
import { standardize } from '../engine/ops/standardize.js';
import type { Feed, Step } from '../engine/program.js';
import type { BatchSpec } from '../input/batch.js';
import { isFrozen } from '../models/parameter-groups.js';
import type { Model } from '../nn/net.js';
import { type StepInputs, TensorNet } from '../nn/tensor-net.js';
import type { Variable } from '../nn/variable.js';
import { createNormalizers } from '../normalizers/index.js';
import { averageOf } from '../runs/optimizer-slots.js';
import type { StepContext, Task, Tensors } from '../tasks/task.js';

export interface Network {
  config: Config;
  /** With the task's head. */
  model: Model;
  task: Task;
  variables: Variable[];
  /** One image, `[H, W, C]`. */
  shape: number[];
  /** Statistics of uint8 images, per channel, 0 to 255; without them, images are float32 and standardized already. */
  pixels?: { mean: number[]; std: number[] };
  /** The kernels to compute with; without them, the definitions in TensorFlow's operations. */
  kernels: Kernels;
}

/** The feed `images` of a batch. */
export const imageFeed = ({ shape, pixels }: Network, batch: number): Record<string, Feed> => ({
  images: { shape: [batch, ...shape], dtype: pixels ? 'uint8' : 'float32' },
});

/** The feeds of a batch with its targets. */
export const batchFeeds = (network: Network, batch: number): Record<string, Feed> => ({
  ...imageFeed(network, batch),
  ...feedsOf(network.task.targets, batch),
});

const feedsOf = (spec: BatchSpec, batch: number): Record<string, Feed> =>
  Object.fromEntries(
    Object.entries(spec).map(([name, { shape, dtype }]) => [name, { shape: [batch, ...shape], dtype }]),
  );

/** The outputs of the model for the images that a step is fed with. */
export function forward({ model, pixels, kernels }: Network, net: TensorNet, step: Step): Tensors {
  const images = pixels
    ? standardize(step.feed('images'), pixels.mean, pixels.std, kernels)
    : step.feed('images');
  return model<Tensor>(net, images);
}

/** The circumstances of a step for its task. */
export const stepContext = ({ model, kernels }: Network, net: TensorNet, seed?: Tensor): StepContext => ({
  tf,
  kernels,
  seed,
  head(name, features) {
    const head = model.regionHeads?.[name];
    if (!head) throw new Error(`the model has no head ${name} for regions`);
    return head.apply<Tensor>(net, features);
  },
});

/** The targets that a step is fed with. */
export const targetsOf = ({ task }: Network, step: Step): Tensors =>
  Object.fromEntries(Object.keys(task.targets).map((name) => [name, step.feed(name)]));

interface NetOptions {
  training: boolean;
  parts?: number;
  /** Without it, schedules are at their end, and nothing is dropped. */
  inputs?: StepInputs;
}

/** A part of a batch holds as many workers' images as there are workers in it; less than one counts as one. */
export function tensorNet(
  { config, kernels }: Network,
  step: Step,
  { training, parts = 1, inputs }: NetOptions,
): TensorNet {
  const workers = Math.max(1, config.batch.workers / parts);
  const normalizers = createNormalizers(config.normalizer);
  const atTheEnd = (key: string) => tf.scalar(normalizers.schedules[key](1));
  const mode = { training, workers, precision: config.precision };
  const averaged = !training && config.optimizer.emaDecay > 0;
  const seen = averaged ? { variable: (name: string) => step.variable(averageOf(name)) } : step;
  const frozen = (name: string) => isFrozen(config.optimizer, name);
  return new TensorNet(seen, normalizers.of, mode, kernels, inputs ?? { scheduled: atTheEnd }, frozen);
}
