import { type CifarVersion, cifar10, cifar100, cifar100Coarse } from './checksums.js';
import { chosenClasses, relabel } from './classes.js';
import type { Sizes } from './dataset.js';
import { annotatedImages, trainLabels } from './detection/annotations.js';
import { canvasesOf } from './detection/canvas.js';
import { scenesOf } from './detection/scenes-of.js';
import { classesOf, listImages, sameClasses } from './image-folder/list.js';
import { imagenetteClasses, imagenetteLabels } from './imagenette.js';
import { sceneCategories } from './scenes.js';
import type {
  CocoConfig,
  DataConfig,
  ImageFolderConfig,
  ImagenetteConfig,
  MotionOfPhotographsConfig,
  ShapesConfig,
  SyntheticVideoConfig,
  VideoFolderConfig,
} from './schema.js';
import { syntheticClasses, syntheticLabels, syntheticSizes } from './synthetic.js';
import { listSplits } from './video/list.js';
import { listPhotographs } from './video/photograph-list.js';
import { motionClasses, motionLabels, syntheticVideoSizes } from './video/synthetic-video.js';

/** The part of a data set that is known before it is loaded. */
export interface KnownSizes {
  /** Images of the published training and test set that are of the chosen classes, before splits and subsets. */
  sizes: Sizes;
  classes: number;
  /** One image, `[height, width, channels]`, or clip, `[frames, height, width, channels]`. */
  shape: number[];
  /** Numbers of annotated objects in the images, where they were read. */
  objects?: Sizes;
}

type Chosen = DataConfig['classes'];

const ofCifar = (version: CifarVersion, chosen: Chosen): KnownSizes => {
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

const ofImagenette = ({ classes: chosen, resolution }: ImagenetteConfig): KnownSizes => {
  const classes = imagenetteLabels(chosen);
  const imagesIn = (split: 'train' | 'val') =>
    classes.reduce((sum, label) => sum + imagenetteClasses[label][split], 0);
  return {
    sizes: { train: imagesIn('train'), validation: imagesIn('val') },
    classes: classes.length,
    shape: [resolution, resolution, 3],
  };
};

const ofSynthetic = (chosen: Chosen): KnownSizes => {
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

const ofSyntheticVideo = ({ classes: chosen, frames, side }: SyntheticVideoConfig): KnownSizes => {
  const classes = chosenClasses(chosen, motionClasses);
  const clipsIn = (count: number) => countOf(motionLabels(count), classes);
  const { train, validation } = syntheticVideoSizes;
  return {
    sizes: { train: clipsIn(train), validation: clipsIn(validation) },
    classes: classes.length,
    shape: [frames, side, side, 3],
  };
};

function ofVideoFolder(config: VideoFolderConfig, dataFolder?: string): KnownSizes {
  const { expect, frames, resolution } = config;
  if (expect && !config.classes) return expected(expect, [frames, resolution, resolution, 3]);
  const { train, val } = listSplits(config, dataFolder);
  const classes = chosenClasses(config.classes, classesOf(train));
  return {
    sizes: { train: countOf(train.labels, classes), validation: countOf(val.labels, classes) },
    classes: classes.length,
    shape: [config.frames, config.resolution, config.resolution, 3],
  };
}

function ofPhotographs(config: MotionOfPhotographsConfig, dataFolder?: string): KnownSizes {
  const { expect, frames, side } = config;
  if (expect && !config.classes) return expected(expect, [frames, side, side, 3]);
  const { train, val } = listPhotographs(config, dataFolder);
  const classes = chosenClasses(config.classes, motionClasses);
  return {
    sizes: { train: countOf(train.labels, classes), validation: countOf(val.labels, classes) },
    classes: classes.length,
    shape: [config.frames, config.side, config.side, 3],
  };
}

/** As `data.expect` says, so that a run can be planned where its files are not. */
const expected = (
  { train, val, classes }: NonNullable<ImageFolderConfig['expect']>,
  shape: number[],
): KnownSizes => ({ sizes: { train, validation: val }, classes, shape });

const countOf = (labels: Int32Array, classes: readonly number[]): number =>
  relabel(labels, classes).filter((label) => label >= 0).length;

/**
 * The numbers that `expect` gives, so that a run can be planned where its images are not; else those of the folders. The
 * images of some of the classes can only be counted in the folders.
 */
function ofFolder(
  { train, val, expect, resolution, classes: chosen }: ImageFolderConfig,
  dataFolder?: string,
): KnownSizes {
  const { classes, ...sizes } =
    expect && !chosen ? expect : countFolders({ train, val, classes: chosen }, dataFolder);
  return {
    sizes: { train: sizes.train, validation: sizes.val },
    classes,
    shape: [resolution, resolution, 3],
  };
}

/** As for folders: with `expect` the annotations need not be there. */
function ofCoco(config: CocoConfig, dataFolder?: string): KnownSizes {
  const [{ height, width }] = canvasesOf(config);
  const shape: KnownSizes['shape'] = [height, width, 3];
  const { expect } = config;
  if (expect && !config.classes) {
    return { sizes: { train: expect.train, validation: expect.val }, classes: expect.classes, shape };
  }
  const trained = annotatedImages(config, 'train', dataFolder);
  const [train, val] = [trained, annotatedImages(config, 'val', dataFolder)].map(
    ({ instances }) => instances,
  );
  const images = trainLabels(config, trained).filter((label) => label >= 0).length;
  return {
    sizes: { train: images, validation: val.images.length },
    classes: train.categories.length,
    shape,
    objects: { train: train.objects.length, validation: val.objects.length },
  };
}

function ofShapes(config: ShapesConfig): KnownSizes {
  const { trainImages, valImages, classes } = config;
  const [{ height, width }] = canvasesOf(scenesOf(config));
  return {
    sizes: { train: trainImages, validation: valImages },
    classes: chosenClasses(classes, { count: sceneCategories.length, names: sceneCategories }).length,
    shape: [height, width, 3],
  };
}

const counted = new Map<string, NonNullable<ImageFolderConfig['expect']>>();

/** Remembered: a sweep plans many runs on the same images. */
function countFolders(
  folders: Pick<ImageFolderConfig, 'train' | 'val' | 'classes'>,
  dataFolder?: string,
): NonNullable<ImageFolderConfig['expect']> {
  const key = JSON.stringify([folders, dataFolder]);
  const known = counted.get(key);
  if (known) return known;
  const train = listImages(folders.train, 'data.train', dataFolder);
  const val = listImages(folders.val, 'data.val', dataFolder);
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
export function knownSizes(data: DataConfig, dataFolder?: string): KnownSizes {
  switch (data.name) {
    case 'cifar10':
      return ofCifar(cifar10, data.classes);
    case 'cifar100':
      return ofCifar(data.labels === 'coarse' ? cifar100Coarse : cifar100, data.classes);
    case 'image-folder':
      return ofFolder(data, dataFolder);
    case 'imagenette':
      return ofImagenette(data);
    case 'synthetic':
      return ofSynthetic(data.classes);
    case 'coco':
      return ofCoco(data, dataFolder);
    case 'shapes':
      return ofShapes(data);
    case 'synthetic-video':
      return ofSyntheticVideo(data);
    case 'motion-of-photographs':
      return ofPhotographs(data, dataFolder);
    case 'video-folder':
      return ofVideoFolder(data, dataFolder);
  }
}
