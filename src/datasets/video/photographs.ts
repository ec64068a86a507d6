/**
 * `motion-of-photographs`: the photographs of a folder of images, each moved in one of eight ways (motions.ts). The
 * folder's own classes are not looked at: the classes are the motions. Photographs stay on disk, clips are drawn ahead
 * of the step.
 */
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { chosenClasses, namesOfClasses, relabel } from '../classes.js';
import type { Dataset, Split } from '../dataset.js';
import { decodedCacheFolder } from '../download/locate.js';
import { soundImages } from '../image-folder/check.js';
import { contentsOf } from '../image-folder/contents.js';
import { asExpected } from '../image-folder/expected.js';
import type { ImageList } from '../image-folder/list.js';
import { pixelStatistics } from '../pixel-statistics.js';
import type { MotionOfPhotographsConfig } from '../schema.js';
import { chooseImages } from '../subset.js';
import { listPhotographs } from './photograph-list.js';
import { motionClasses } from './synthetic-video.js';

/** @throws {UserError} for folders that are not in order, and for broken photographs unless they may be skipped */
export async function openPhotographs(
  config: MotionOfPhotographsConfig,
  options: { dataFolder?: string; quiet?: boolean } = {},
): Promise<Dataset> {
  const { train, val } = listPhotographs(config, options.dataFolder);
  asExpected(config, train, val, motionClasses.count);
  const classes = chosenClasses(config.classes, motionClasses);
  const choice = chooseImages(config, relabel(train.labels, classes), relabel(val.labels, classes));
  const { frames, side, frameOrder, onBroken } = config;
  const cacheBytes = config.decodedCache * 1e9;
  const cache = decodedCacheFolder();
  const checking = { onBroken, cacheBytes, cache, quiet: options.quiet };
  const chosen = {
    train: select(train, choice.train),
    validation: select(choice.validation.from === 'train' ? train : val, choice.validation.indices),
  };
  const sound = async (list: ImageList, onlyWhenFew: boolean) =>
    splitOf(await soundImages(list, { ...checking, onlyWhenFew }), classes);
  const splits = {
    train: await sound(chosen.train, true),
    validation: await sound(chosen.validation, false),
  };
  const count = ({ count: photographs }: Split) => photographs.toLocaleString('en');
  return {
    name: config.name,
    classes: classes.length,
    classNames: namesOfClasses(classes, motionClasses),
    shape: [frames, side, side, 3],
    ...pixelStatistics(config.name),
    ...splits,
    checksums: {
      'train (names)': namesOf(chosen.train),
      'validation (names)': namesOf(chosen.validation),
      ...(await contentsOf('train', chosen.train, cache)),
      ...(await contentsOf('validation', chosen.validation, cache)),
    },
    official: false,
    note: `${basename(dirname(train.root))} (${count(splits.train)} training and ${count(splits.validation)} validation photographs)`,
    photographs: { motions: classes, frameOrder, onBroken, cacheBytes },
  };
}

const select = (list: ImageList, indices: Uint32Array): ImageList => ({
  ...list,
  paths: Array.from(indices, (index) => list.paths[index]),
  labels: Int32Array.from(indices, (index) => list.labels[index]),
});

function splitOf({ root, paths, labels }: ImageList, classes: readonly number[]): Split {
  const shared = new Int32Array(new SharedArrayBuffer(labels.length * 4));
  shared.set(relabel(labels, classes));
  const images = new Uint8Array(new SharedArrayBuffer(0));
  return { count: paths.length, labels: shared, images, files: { root, paths } };
}

const namesOf = ({ paths }: ImageList) => createHash('sha256').update(paths.join('\n')).digest('hex');
