import { chosenClasses, namesOfClasses, relabel } from '../classes.js';
import type { Dataset } from '../dataset.js';
import { decodedCacheFolder } from '../download/locate.js';
import { describeFiles, namesOfFiles, selectFiles, splitOfFiles } from '../listed-files.js';
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
    train: selectFiles(train, choice.train),
    validation: selectFiles(choice.validation.from === 'train' ? train : test, choice.validation.indices),
  };
  const splits = {
    train: splitOfFiles(await soundImages(chosen.train, { ...checking, onlyWhenFew: true }), classes),
    validation: splitOfFiles(
      await soundImages(chosen.validation, { ...checking, onlyWhenFew: false }),
      classes,
    ),
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
      'train (names)': namesOfFiles(chosen.train),
      'validation (names)': namesOfFiles(chosen.validation),
      ...(await contentsOf('train', chosen.train, checking.cache)),
      ...(await contentsOf('validation', chosen.validation, checking.cache)),
    },
    official: false,
    note: describeFiles(train, splits, 'images'),
    decoding,
  };
}

/** Said even when there is to be no progress: images that are left out are a matter of the result. */
function tellPassedOver(...lists: ImageList[]): void {
  for (const { root, passedOver } of lists) {
    if (passedOver.text) process.stderr.write(`warning: ${root}: passed over: ${passedOver.text}\n`);
  }
}
