/**
 * `motion-of-photographs`: the photographs of a folder of images, each moved in one of eight ways (motions.ts). The
 * folder's own classes are not looked at: the classes are the motions. Photographs stay on disk, clips are drawn ahead
 * of the step.
 */
import { chosenClasses, namesOfClasses, relabel } from '../classes.js';
import type { Dataset } from '../dataset.js';
import { decodedCacheFolder } from '../download/locate.js';
import { soundImages } from '../image-folder/check.js';
import { contentsOf } from '../image-folder/contents.js';
import { asExpected } from '../image-folder/expected.js';
import type { ImageList } from '../image-folder/list.js';
import { describeFiles, namesOfFiles, selectFiles, splitOfFiles } from '../listed-files.js';
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
    train: selectFiles(train, choice.train),
    validation: selectFiles(choice.validation.from === 'train' ? train : val, choice.validation.indices),
  };
  const sound = async (list: ImageList, onlyWhenFew: boolean) =>
    splitOfFiles(await soundImages(list, { ...checking, onlyWhenFew }), classes);
  const splits = {
    train: await sound(chosen.train, true),
    validation: await sound(chosen.validation, false),
  };
  return {
    name: config.name,
    classes: classes.length,
    classNames: namesOfClasses(classes, motionClasses),
    shape: [frames, side, side, 3],
    ...pixelStatistics(config.name),
    ...splits,
    checksums: {
      'train (names)': namesOfFiles(chosen.train),
      'validation (names)': namesOfFiles(chosen.validation),
      ...(await contentsOf('train', chosen.train, cache)),
      ...(await contentsOf('validation', chosen.validation, cache)),
    },
    official: false,
    note: describeFiles(train, splits, 'photographs'),
    photographs: { motions: classes, frameOrder, onBroken, cacheBytes },
  };
}
