import type { Sizes } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { type CifarVersion, cifar10, cifar100, cifar100Coarse } from './checksums.js';
import { chosenClasses, relabel } from './classes.js';
import { classesOf, listPhotos, sameClasses } from './image-folder/list.js';
import { syntheticClasses, syntheticLabels, syntheticSizes } from './synthetic.js';

/** What is known of a data set before it is loaded. */
export interface Published {
  /** Images of the published training and test set that are of the chosen classes, before splits and subsets. */
  sizes: Sizes;
  classes: number;
  /** One image, `[height, width, channels]`. */
  shape: [number, number, number];
}

type Chosen = Config['data']['classes'];

const ofCifar = (version: CifarVersion, chosen: Chosen): Published => {
  const classes = chosenClasses(chosen, { count: version.classes, names: version.classNames }).length;
  // Every class has as many images.
  const imagesIn = (files: string[]) =>
    (files.reduce((sum, file) => sum + version.records[file], 0) / version.classes) * classes;
  return {
    sizes: { train: imagesIn(version.train), validation: imagesIn(version.test) },
    classes,
    shape: [32, 32, 3],
  };
};

const ofSynthetic = (chosen: Chosen): Published => {
  const classes = chosenClasses(chosen, syntheticClasses);
  const imagesIn = (count: number) => countOf(syntheticLabels(count), classes);
  return {
    sizes: {
      train: imagesIn(syntheticSizes.train),
      validation: imagesIn(syntheticSizes.validation),
    },
    classes: classes.length,
    shape: [32, 32, 3],
  };
};

const countOf = (labels: Int32Array, classes: readonly number[]): number =>
  relabel(labels, classes).filter((label) => label >= 0).length;

type ImageFolder = Extract<Config['data'], { name: 'image-folder' }>;

/**
 * What `expect` says, so that a run can be planned where its images are not; else what the folders hold. How many images
 * some of the classes have is known from the folders alone.
 */
function ofFolder(
  { train, val, expect, resolution, classes: chosen }: ImageFolder,
  dataFolder?: string,
): Published {
  const { classes, ...sizes } =
    expect && !chosen ? expect : countFolders({ train, val, classes: chosen }, dataFolder);
  return {
    sizes: { train: sizes.train, validation: sizes.val },
    classes,
    shape: [resolution, resolution, 3],
  };
}

const counted = new Map<string, NonNullable<ImageFolder['expect']>>();

/** Remembered: a sweep plans many runs on the same images. */
function countFolders(
  folders: Pick<ImageFolder, 'train' | 'val' | 'classes'>,
  dataFolder?: string,
): NonNullable<ImageFolder['expect']> {
  const key = JSON.stringify([folders, dataFolder]);
  const known = counted.get(key);
  if (known) return known;
  const train = listPhotos(folders.train, 'data.train', dataFolder);
  const val = listPhotos(folders.val, 'data.val', dataFolder);
  sameClasses(train, val);
  const classes = chosenClasses(folders.classes, classesOf(train));
  const found = {
    classes: classes.length,
    train: countOf(train.labels, classes),
    val: countOf(val.labels, classes),
  };
  counted.set(key, found);
  return found;
}

/**
 * @param dataFolder `--data`, for images in folders
 * @throws {UserError} for folders of images that are not there or not in order, and for chosen classes that are none
 */
export function published(data: Config['data'], dataFolder?: string): Published {
  switch (data.name) {
    case 'cifar10':
      return ofCifar(cifar10, data.classes);
    case 'cifar100':
      return ofCifar(data.labels === 'coarse' ? cifar100Coarse : cifar100, data.classes);
    case 'image-folder':
      return ofFolder(data, dataFolder);
    case 'synthetic':
      return ofSynthetic(data.classes);
  }
}
