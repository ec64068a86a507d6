import type { Sizes } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { type CifarVersion, cifar10, cifar100, cifar100Coarse } from './checksums.js';
import { listPhotos, sameClasses } from './photo-list.js';
import { syntheticSizes } from './synthetic.js';

/** What is known of a data set before it is loaded. */
export interface Published {
  /** Images of the published training and test set, before splits and subsets. */
  sizes: Sizes;
  classes: number;
  /** One image, `[height, width, channels]`. */
  shape: [number, number, number];
}

const ofCifar = (version: CifarVersion): Published => {
  const imagesIn = (files: string[]) => files.reduce((sum, file) => sum + version.records[file], 0);
  return {
    sizes: { train: imagesIn(version.train), validation: imagesIn(version.test) },
    classes: version.classes,
    shape: [32, 32, 3],
  };
};

type ImageFolder = Extract<Config['data'], { name: 'image-folder' }>;

/** What `expect` says, so that a run can be planned where its images are not; else what the folders hold. */
function ofFolder({ train, val, expect, resolution }: ImageFolder, dataFolder?: string): Published {
  const { classes, ...sizes } = expect ?? countFolders(train, val, dataFolder);
  return {
    sizes: { train: sizes.train, validation: sizes.val },
    classes,
    shape: [resolution, resolution, 3],
  };
}

const counted = new Map<string, NonNullable<ImageFolder['expect']>>();

/** Remembered: a sweep plans many runs on the same images. */
function countFolders(train: string, val: string, dataFolder?: string): NonNullable<ImageFolder['expect']> {
  const key = JSON.stringify([train, val, dataFolder]);
  const known = counted.get(key);
  if (known) return known;
  const [one, other] = [listPhotos(train, 'data.train', dataFolder), listPhotos(val, 'data.val', dataFolder)];
  sameClasses(one, other);
  const found = { classes: one.classes.length, train: one.paths.length, val: other.paths.length };
  counted.set(key, found);
  return found;
}

/**
 * @param dataFolder `--data`, for images in folders
 * @throws {UserError} for folders of images that are not there or not in order
 */
export function published(data: Config['data'], dataFolder?: string): Published {
  switch (data.name) {
    case 'cifar10':
      return ofCifar(cifar10);
    case 'cifar100':
      return ofCifar(data.labels === 'coarse' ? cifar100Coarse : cifar100);
    case 'image-folder':
      return ofFolder(data, dataFolder);
    case 'synthetic':
      return { sizes: syntheticSizes, classes: 10, shape: [32, 32, 3] };
  }
}
