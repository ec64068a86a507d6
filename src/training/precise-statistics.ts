import type { Config } from '../config/schema.js';
import { statisticsSpan } from '../config/schema-normalizer.js';
import { balancedOrder } from '../datasets/subset.js';
import { tf } from '../engine/load.js';
import type { DefinedStep, Program, VariableValue } from '../engine/program.js';
import { type Images, sourceOf } from '../input/dataset-source.js';
import { openEvaluationBatches } from '../input/evaluation-batches.js';
import type { SourceDescription } from '../input/example-source.js';
import { isFrozen } from '../models/parameter-groups.js';
import type { Variable } from '../nn/variable.js';
import { createNormalizers } from '../normalizers/index.js';
import { forward, imageFeed, type Network, tensorNet } from './network.js';

/**
 * Images that the statistics are taken over at once: enough to stand for all, and always as many, so that results
 * repeat.
 */
export const statisticsBatch = (images: number): number => Math.min(250, images);

/**
 * Over how many images statistics are computed anew for an evaluation; 0 where the running ones are used, or none
 * move.
 */
export function preciseImages({ evaluate, normalizer, optimizer }: Config, variables: Variable[]): number {
  const kept =
    statisticsSpan(normalizer) !== 'image' && // frozen BN's are given
    variables.some(({ role, name }) => role === 'statistic' && !isFrozen(optimizer, name));
  return evaluate.statistics === 'precise' && kept ? evaluate.preciseImages : 0;
}

/**
 * Adds the step that gives mean and variance of every layer that keeps running ones, over a batch of so many images
 * taken as one worker's, by the variables' names.
 */
export function defineStatistics(program: Program, network: Network, images: number): DefinedStep {
  return program.define(`statistics/${images}`, imageFeed(network, images), (step) => {
    // As one worker's images, whatever the training's workers.
    const { batch, normalizer } = network.config;
    const { schedules } = createNormalizers(normalizer);
    // Batch Renormalization is BN as long as its training has not begun: what is measured here knows no older statistics.
    const scheduled = (key: string) => tf.scalar(schedules[key](Number.NEGATIVE_INFINITY));
    const net = tensorNet(network, step, { training: true, parts: batch.workers, inputs: { scheduled } });
    forward(network, net, step);
    return Object.fromEntries(net.statistics.map(({ variable, value }) => [variable, value]));
  });
}

/**
 * Runs `body` with BN's statistics computed anew over `images` training images, not augmented: the first, or of
 * image files, which lie class by class, as many of each class.
 * ("precise BN", Wu & Johnson 2021, arXiv 2105.07576, §3); the running averages are put back afterwards.
 *
 * @param pause called with 0 after each batch of them, as before an evaluation's first; true ends it early
 * @returns undefined when it was ended early
 */
export async function withPreciseStatistics<Result>(
  program: Pick<Program, 'read' | 'write'>,
  precise: Precise,
  body: () => Promise<Result>,
  pause: (done: number) => Promise<boolean>,
): Promise<Result | undefined> {
  const statistics = await preciseStatistics(precise, () => pause(0));
  if (!statistics) return undefined;
  const running = program.read(Object.keys(statistics));
  program.write(statistics);
  try {
    return await body();
  } finally {
    program.write(running);
  }
}

/** Mean of the batches' means; mean of their variances, plus the variance of their means; a deviation is its root. */
async function preciseStatistics(
  { step, variables, source, images }: Precise,
  pause: () => Promise<boolean>,
): Promise<Record<string, VariableValue> | undefined> {
  const { count } = source;
  const batchSize = statisticsBatch(count);
  const wanted = Math.max(1, Math.floor(Math.min(images, count) / batchSize));
  const sums: Sums = new Map();
  const batches = openEvaluationBatches(source, { batchSize });
  try {
    for (let batch = 0; batch < wanted; batch++) {
      addTo(sums, step({ images: batches.next()!.batch.images }), wanted);
      if (await pause()) return undefined;
    }
  } finally {
    await batches.close();
  }
  const spreads = new Map(variables.map(({ name, spread }) => [name, spread]));
  const apart = (mean: string, index: number) => {
    const { first, second } = sums.get(mean)!;
    return Math.max(0, second[index] - first[index] ** 2);
  };
  return Object.fromEntries(
    [...sums].map(([name, { first, second }]) => {
      const { kind, around = '' } = spreads.get(name) ?? {};
      const data =
        kind === 'variance'
          ? first.map((value, index) => value + apart(around, index))
          : kind === 'deviation'
            ? second.map((square, index) => Math.sqrt(square + apart(around, index)))
            : first;
      return [name, { shape: [data.length], data: Float32Array.from(data) }];
    }),
  );
}

/** The source of precise statistics. */
export interface Precise {
  /** As `defineStatistics` gives it, for batches of `statisticsBatch`. */
  step: DefinedStep;
  /** Those of the network, which say how each statistic is averaged. */
  variables: readonly Variable[];
  source: SourceDescription;
  /** How many images they are taken over. */
  images: number;
}

/** The images of a split in the order in which a few of them stand for all. */
export const statisticsSource = (
  dataset: Images,
  split: 'train' | 'validation' = 'train',
): SourceDescription => sourceOf(balanced(dataset, split), split);

/** The data set with a split's image files in an order whose every beginning holds the classes evenly. */
function balanced(dataset: Images, split: 'train' | 'validation'): Images {
  const { labels, files, count } = dataset[split];
  if (!files || dataset.scenes) return dataset;
  const order = balancedOrder(
    labels,
    Uint32Array.from({ length: count }, (_, index) => index),
    'subset',
  );
  const ordered = new Int32Array(new SharedArrayBuffer(labels.byteLength));
  order.forEach((index, at) => {
    ordered[at] = labels[index];
  });
  const paths = Array.from(order, (index) => files.paths[index]);
  return { ...dataset, [split]: { ...dataset[split], labels: ordered, files: { ...files, paths } } };
}

type Sums = Map<string, { first: Float64Array; second: Float64Array }>;

/** Adds one batch's share to the means of values and of their squares. */
function addTo(sums: Sums, values: Record<string, Float32Array>, batches: number): void {
  for (const [name, data] of Object.entries(values)) {
    const sum = sums.get(name) ?? {
      first: new Float64Array(data.length),
      second: new Float64Array(data.length),
    };
    sums.set(name, sum);
    data.forEach((value, index) => {
      sum.first[index] += value / batches;
      sum.second[index] += value ** 2 / batches;
    });
  }
}
