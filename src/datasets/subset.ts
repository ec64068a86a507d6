import { UserError } from '../errors.js';
import { Draws, shuffled } from '../random/random.js';
import type { Sizes } from './dataset.js';
import type { DataConfig } from './schema.js';

// Not the run's seed: runs that differ in their seed are to be trained and judged on the same images.
const choiceSeed = 1803_08494;

/** The keys that choose images. */
type ChoiceKeys = Pick<DataConfig, 'validation' | 'trainSubset' | 'valSubset'>;

/** The images of the published training and test set that a run trains on and is judged on. */
export interface ChosenExamples {
  train: Uint32Array;
  validation: { from: 'train' | 'test'; indices: Uint32Array };
}

/**
 * The numbers of images that are trained and validated on, split and subsets applied.
 *
 * @param published the numbers that the data set has
 * @throws {UserError} with the key that asks for more than there are as its place
 */
export function splitSizes(
  { validation: split, trainSubset, valSubset }: ChoiceKeys,
  published: Sizes,
): Sizes {
  let { train, validation } = published;
  if (split !== 'test') {
    atMost(split.fromTrain, train - 1, 'data.validation.fromTrain'); // one has to be left to train on
    [train, validation] = [train - split.fromTrain, split.fromTrain];
  }
  if (trainSubset !== undefined) atMost(trainSubset, train, 'data.trainSubset');
  if (valSubset !== undefined) atMost(valSubset, validation, 'data.valSubset');
  return { train: trainSubset ?? train, validation: valSubset ?? validation };
}

/**
 * Applies `validation`, `trainSubset` and `valSubset`. A split of the training set and every subset are the first n of
 * a class-balanced order with a fixed seed, so that a larger subset holds the smaller one.
 *
 * @param trainLabels of the published training set, −1 for images of classes that are left out; `testLabels` likewise
 * @throws {UserError} when more images are asked for than there are
 */
export function chooseImages(
  config: ChoiceKeys,
  trainLabels: ArrayLike<number>,
  testLabels: ArrayLike<number>,
): ChosenExamples {
  const present = { train: everything(trainLabels), test: everything(testLabels) };
  splitSizes(config, { train: present.train.length, validation: present.test.length });
  let { train } = present;
  let validation: ChosenExamples['validation'] = { from: 'test', indices: present.test };
  if (config.validation !== 'test') {
    const n = config.validation.fromTrain;
    const order = balancedOrder(trainLabels, train, 'split');
    validation = { from: 'train', indices: order.subarray(0, n).toSorted() };
    train = order.subarray(n).toSorted();
  }
  if (config.trainSubset !== undefined) {
    train = balancedOrder(trainLabels, train, 'subset').subarray(0, config.trainSubset);
  }
  if (config.valSubset !== undefined) {
    const labels = validation.from === 'train' ? trainLabels : testLabels;
    validation.indices = balancedOrder(labels, validation.indices, 'subset').subarray(0, config.valSubset);
  }
  return { train, validation };
}

function everything(labels: ArrayLike<number>): Uint32Array {
  const indices = Uint32Array.from({ length: labels.length }, (_, index) => index);
  return indices.filter((index) => labels[index] >= 0);
}

function atMost(asked: number, available: number, key: string): void {
  if (asked <= available) return;
  throw new UserError(`${asked} images are asked for, but there are ${available}`, {
    place: key,
    fix: `set it to ${available} or less`,
  });
}

/**
 * `indices` in an order whose every prefix holds the classes as evenly as they last: each class is shuffled, then they
 * take turns.
 */
export function balancedOrder(
  labels: ArrayLike<number>,
  indices: Uint32Array,
  purpose: 'split' | 'subset',
): Uint32Array {
  const byClass = new Map<number, number[]>();
  for (const index of indices) {
    const members = byClass.get(labels[index]);
    if (members) members.push(index);
    else byClass.set(labels[index], [index]);
  }
  const draws = new Draws(choiceSeed, 'choice', purpose === 'split' ? 1 : 2);
  const queues = [...byClass.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, members]) => Array.from(shuffled(members.length, draws), (at) => members[at]));
  const order = new Uint32Array(indices.length);
  const longest = Math.max(0, ...queues.map((queue) => queue.length));
  let filled = 0;
  for (let turn = 0; turn < longest; turn++) {
    for (const queue of queues) if (turn < queue.length) order[filled++] = queue[turn];
  }
  return order;
}
