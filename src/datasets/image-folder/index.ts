import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { UserError } from '../../errors.js';
import { chosenClasses, relabel } from '../classes.js';
import type { Dataset, PhotoConfig, Split } from '../dataset.js';
import { photoCache } from '../download/locate.js';
import { pixelStatistics } from '../pixel-statistics.js';
import { chooseImages } from '../subset.js';
import { soundPhotos } from './check.js';
import { classesOf, listPhotos, type PhotoList, sameClasses } from './list.js';

/**
 * Photographs in ImageNet's layout. They stay on disk: batches are decoded ahead of the step. Validation images are all
 * decoded once before anything starts, training images too when they are few; see `soundPhotos`.
 *
 * @throws {UserError} for folders or classes that are missing, empty or differ, and for broken images unless they may
 * be skipped
 */
export async function openPhotos(
  config: PhotoConfig,
  options: { dataFolder?: string; quiet?: boolean } = {},
): Promise<Dataset> {
  const train = listPhotos(config.train, 'data.train', options.dataFolder);
  const test = listPhotos(config.val, 'data.val', options.dataFolder);
  sameClasses(train, test);
  asExpected(config, train, test);
  const classes = chosenClasses(config.classes, classesOf(train));
  const choice = chooseImages(config, relabel(train.labels, classes), relabel(test.labels, classes));
  const photography = {
    colourJitter: config.colourJitter,
    lighting: config.lighting,
    onBroken: config.onBroken,
    cacheBytes: config.decodedCache * 1e9,
  };
  const checking = { ...photography, cache: photoCache(), quiet: options.quiet };
  const chosen = {
    train: select(train, choice.train),
    validation: select(choice.validation.from === 'train' ? train : test, choice.validation.indices),
  };
  const splits = {
    train: split(await soundPhotos(chosen.train, { ...checking, onlyWhenFew: true }), classes),
    validation: split(await soundPhotos(chosen.validation, { ...checking, onlyWhenFew: false }), classes),
  };
  const { resolution } = config;
  return {
    name: config.name,
    classes: classes.length,
    shape: [resolution, resolution, 3],
    ...pixelStatistics('image-folder'),
    ...splits,
    checksums: { 'train (names)': namesOf(chosen.train), 'validation (names)': namesOf(chosen.validation) },
    official: false,
    note: describe(train, splits),
    photography,
  };
}

function asExpected({ expect }: PhotoConfig, train: PhotoList, test: PhotoList): void {
  if (!expect) return;
  const found = { classes: train.classes.length, train: train.paths.length, val: test.paths.length };
  for (const key of ['classes', 'train', 'val'] as const) {
    if (found[key] === expect[key]) continue;
    throw new UserError(`expected ${expect[key]}, found ${found[key]}`, {
      place: `data.expect.${key}: ${key === 'val' ? test.root : train.root}`,
      fix: 'complete the data set, or change data.expect',
    });
  }
}

function select(list: PhotoList, indices: Uint32Array): PhotoList {
  return {
    ...list,
    paths: Array.from(indices, (index) => list.paths[index]),
    labels: Int32Array.from(indices, (index) => list.labels[index]),
  };
}

function split({ root, paths, labels }: PhotoList, classes: readonly number[]): Split {
  const shared = new Int32Array(new SharedArrayBuffer(labels.length * 4));
  shared.set(relabel(labels, classes));
  return {
    count: paths.length,
    labels: shared,
    images: new Uint8Array(new SharedArrayBuffer(0)),
    photos: { root, paths },
  };
}

const namesOf = ({ paths }: PhotoList) => createHash('sha256').update(paths.join('\n')).digest('hex');

function describe({ root }: PhotoList, { train, validation }: { train: Split; validation: Split }): string {
  const count = (split: Split) => split.count.toLocaleString('en');
  return `${basename(dirname(root))} (${count(train)} training and ${count(validation)} validation images)`;
}
