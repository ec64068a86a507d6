import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { chosenClasses, namesOfClasses, relabel } from '../classes.js';
import type { Dataset, Split } from '../dataset.js';
import { decodedCacheFolder } from '../download/locate.js';
import { pixelStatistics } from '../pixel-statistics.js';
import type { ImageFolderConfig } from '../schema.js';
import { chooseImages } from '../subset.js';
import { soundImages } from './check.js';
import { contentsOf } from './contents.js';
import { asExpected } from './expected.js';
import { classesOf, type ImageList, listImages, sameClasses } from './list.js';

/**
 * Image files in ImageNet's layout. They stay on disk: batches are decoded ahead of the step. Validation images are all
 * decoded once before anything starts, training images too when they are few; see `soundImages`.
 *
 * @throws {UserError} for folders or classes that are missing, empty or differ, and for broken images unless they may
 * be skipped
 */
export async function openImageFolder(
  config: ImageFolderConfig,
  options: { dataFolder?: string; quiet?: boolean } = {},
): Promise<Dataset> {
  const train = listImages(config.train, 'data.train', options.dataFolder);
  const test = listImages(config.val, 'data.val', options.dataFolder);
  sameClasses(train, test);
  asExpected(config, train, test);
  tellPassedOver(train, test);
  const classes = chosenClasses(config.classes, classesOf(train));
  const choice = chooseImages(config, relabel(train.labels, classes), relabel(test.labels, classes));
  const decoding = {
    colourJitter: config.colourJitter,
    lighting: config.lighting,
    onBroken: config.onBroken,
    cacheBytes: config.decodedCache * 1e9,
  };
  const checking = { ...decoding, cache: decodedCacheFolder(), quiet: options.quiet };
  const chosen = {
    train: select(train, choice.train),
    validation: select(choice.validation.from === 'train' ? train : test, choice.validation.indices),
  };
  const splits = {
    train: split(await soundImages(chosen.train, { ...checking, onlyWhenFew: true }), classes),
    validation: split(await soundImages(chosen.validation, { ...checking, onlyWhenFew: false }), classes),
  };
  const { resolution } = config;
  return {
    name: config.name,
    classes: classes.length,
    classNames: namesOfClasses(classes, classesOf(train)),
    shape: [resolution, resolution, 3],
    ...pixelStatistics('image-folder'),
    ...splits,
    checksums: {
      'train (names)': namesOf(chosen.train),
      'validation (names)': namesOf(chosen.validation),
      ...(await contentsOf('train', chosen.train, checking.cache)),
      ...(await contentsOf('validation', chosen.validation, checking.cache)),
    },
    official: false,
    note: describe(train, splits),
    decoding,
  };
}

/** Said even when there is to be no progress: images that are left out are a matter of the result. */
function tellPassedOver(...lists: ImageList[]): void {
  for (const { root, passedOver } of lists) {
    if (passedOver.text) process.stderr.write(`warning: ${root}: passed over: ${passedOver.text}\n`);
  }
}

function select(list: ImageList, indices: Uint32Array): ImageList {
  return {
    ...list,
    paths: Array.from(indices, (index) => list.paths[index]),
    labels: Int32Array.from(indices, (index) => list.labels[index]),
  };
}

function split({ root, paths, labels }: ImageList, classes: readonly number[]): Split {
  const shared = new Int32Array(new SharedArrayBuffer(labels.length * 4));
  shared.set(relabel(labels, classes));
  return {
    count: paths.length,
    labels: shared,
    images: new Uint8Array(new SharedArrayBuffer(0)),
    files: { root, paths },
  };
}

const namesOf = ({ paths }: ImageList) => createHash('sha256').update(paths.join('\n')).digest('hex');

function describe({ root }: ImageList, { train, validation }: { train: Split; validation: Split }): string {
  const count = (split: Split) => split.count.toLocaleString('en');
  return `${basename(dirname(root))} (${count(train)} training and ${count(validation)} validation images)`;
}
