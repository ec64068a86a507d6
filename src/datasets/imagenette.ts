/**
 * Imagenette (J. Howard, https://github.com/fastai/imagenette, the second version): ten classes of ImageNet, in ImageNet's
 * own folders. Sizes and checksums are those that TensorFlow Datasets checks downloads against.
 */
import { join } from 'node:path';
import { chosenClasses } from './classes.js';
import type { RemoteFile } from './download/fetch.js';
import type { ImageFolderConfig, ImagenetteConfig } from './schema.js';

/** The facts about one of the three archives. */
export interface ImagenetteVersion {
  /** The folder's name inside the archive and wherever it is kept. */
  folder: string;
  archive: RemoteFile;
  /** Images in it. */
  images: number;
}

/** The classes in the order of their folders' names, which is that of the labels: training and validation images. */
export const imagenetteClasses = [
  { folder: 'n01440764', name: 'tench', train: 963, val: 387 },
  { folder: 'n02102040', name: 'English springer', train: 955, val: 395 },
  { folder: 'n02979186', name: 'cassette player', train: 993, val: 357 },
  { folder: 'n03000684', name: 'chain saw', train: 858, val: 386 },
  { folder: 'n03028079', name: 'church', train: 941, val: 409 },
  { folder: 'n03394916', name: 'French horn', train: 956, val: 394 },
  { folder: 'n03417042', name: 'garbage truck', train: 961, val: 389 },
  { folder: 'n03425413', name: 'gas pump', train: 931, val: 419 },
  { folder: 'n03445777', name: 'golf ball', train: 951, val: 399 },
  { folder: 'n03888257', name: 'parachute', train: 960, val: 390 },
];

const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);

/** All of its images, which have to be there. */
export const imagenetteCounts = {
  classes: imagenetteClasses.length,
  train: sum(imagenetteClasses.map(({ train }) => train)),
  val: sum(imagenetteClasses.map(({ val }) => val)),
};

const images = imagenetteCounts.train + imagenetteCounts.val;
const host = 'https://s3.amazonaws.com/fast-ai-imageclas';

export const imagenetteVersions: Record<ImagenetteConfig['size'], ImagenetteVersion> = {
  160: {
    folder: 'imagenette2-160',
    archive: {
      url: `${host}/imagenette2-160.tgz`,
      bytes: 99_003_388,
      sha256: '64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5',
    },
    images,
  },
  320: {
    folder: 'imagenette2-320',
    archive: {
      url: `${host}/imagenette2-320.tgz`,
      bytes: 341_663_724,
      sha256: '569b4497c98db6dd29f335d1f109cf315fe127053cedf69010d047f0188e158c',
    },
    images,
  },
  full: {
    folder: 'imagenette2',
    archive: {
      url: `${host}/imagenette2.tgz`,
      bytes: 1_557_161_267,
      sha256: '6cbfac238434d89fe99e651496f0812ebc7a10fa62bd42d6874042bf01de4efd',
    },
    images,
  },
};

/** The labels that `data.classes` names; all of them when it is left out. @throws {UserError} for a class that is none */
export const imagenetteLabels = (chosen: ImagenetteConfig['classes']): readonly number[] =>
  chosenClasses(chosen, {
    count: imagenetteClasses.length,
    names: imagenetteClasses.map(({ name }) => name),
  });

/** The same images as a folder of images, whose classes have the same numbers. */
export function asImageFolder({ size, ...config }: ImagenetteConfig, folder: string): ImageFolderConfig {
  return {
    ...config,
    classes: config.classes && [...imagenetteLabels(config.classes)],
    name: 'image-folder',
    train: join(folder, 'train'),
    val: join(folder, 'val'),
    expect: imagenetteCounts,
  };
}
