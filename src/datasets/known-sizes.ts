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
  MotionOfPhotographsConfig,
  ShapesConfig,
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

type Counts = Omit<KnownSizes, 'shape'>;
type Chosen = DataConfig['classes'];

const ofCifar = (version: CifarVersion, chosen: Chosen): Counts => {
  const classes = chosenClasses(chosen, { count: version.classes, names: version.classNames }).length;
  // Every class has as many images.
  const imagesIn = (files: string[]) =>
    (files.reduce((sum, file) => sum + version.records[file], 0) / version.classes) * classes;
  return { sizes: { train: imagesIn(version.train), validation: imagesIn(version.test) }, classes };
};

const ofImagenette = (chosen: Chosen): Counts => {
  const classes = imagenetteLabels(chosen);
  const imagesIn = (split: 'train' | 'val') =>
    classes.reduce((sum, label) => sum + imagenetteClasses[label][split], 0);
  return { sizes: { train: imagesIn('train'), validation: imagesIn('val') }, classes: classes.length };
};

const ofSynthetic = (chosen: Chosen): Counts => {
  const classes = chosenClasses(chosen, syntheticClasses);
  const imagesIn = (count: number) => countOf(syntheticLabels(count), classes);
  const { train, validation } = syntheticSizes;
  return { sizes: { train: imagesIn(train), validation: imagesIn(validation) }, classes: classes.length };
};

const ofSyntheticVideo = (chosen: Chosen): Counts => {
  const classes = chosenClasses(chosen, motionClasses);
  const clipsIn = (count: number) => countOf(motionLabels(count), classes);
  const { train, validation } = syntheticVideoSizes;
  return { sizes: { train: clipsIn(train), validation: clipsIn(validation) }, classes: classes.length };
};

const ofShapes = ({ trainImages, valImages, classes }: ShapesConfig): Counts => ({
  sizes: { train: trainImages, validation: valImages },
  classes: chosenClasses(classes, { count: sceneCategories.length, names: sceneCategories }).length,
});

function ofVideoFolder(config: VideoFolderConfig, dataFolder?: string): Counts {
  const { train, val } = listSplits(config, dataFolder);
  return ofLabels(train.labels, val.labels, chosenClasses(config.classes, classesOf(train)));
}

function ofPhotographs(config: MotionOfPhotographsConfig, dataFolder?: string): Counts {
  const { train, val } = listPhotographs(config, dataFolder);
  return ofLabels(train.labels, val.labels, chosenClasses(config.classes, motionClasses));
}

const counted = new Map<string, Counts>();

/** Remembered: a sweep plans many runs on the same images. */
function ofFolder({ train, val, classes: chosen }: ImageFolderConfig, dataFolder?: string): Counts {
  const key = JSON.stringify([train, val, chosen, dataFolder]);
  const known = counted.get(key);
  if (known) return known;
  const trained = listImages(train, 'data.train', dataFolder);
  const validated = listImages(val, 'data.val', dataFolder);
  sameClasses(trained, validated);
  const found = ofLabels(trained.labels, validated.labels, chosenClasses(chosen, classesOf(trained)));
  counted.set(key, found);
  return found;
}

function ofCoco(config: CocoConfig, dataFolder?: string): Counts {
  const trained = annotatedImages(config, 'train', dataFolder);
  const { instances: val } = annotatedImages(config, 'val', dataFolder);
  const { categories, objects } = trained.instances;
  const images = trainLabels(config, trained).filter((label) => label >= 0).length;
  return {
    sizes: { train: images, validation: val.images.length },
    classes: categories.length,
    objects: { train: objects.length, validation: val.objects.length },
  };
}

const ofLabels = (train: Int32Array, validation: Int32Array, classes: readonly number[]): Counts => ({
  sizes: { train: countOf(train, classes), validation: countOf(validation, classes) },
  classes: classes.length,
});

const countOf = (labels: Int32Array, classes: readonly number[]): number =>
  relabel(labels, classes).filter((label) => label >= 0).length;

/**
 * The numbers that `data.expect` gives, so that a run can be planned where its files are not. Examples of some of the classes
 * can only be counted in the files.
 */
function expectedOf(data: DataConfig): Counts | undefined {
  if (!('expect' in data) || !data.expect || data.classes) return undefined;
  const { train, val, classes } = data.expect;
  return { sizes: { train, validation: val }, classes };
}

/**
 * @param dataFolder `--data`, for images in folders
 * @throws {UserError} for folders of images that are not there or not in order, and for chosen classes that are none
 */
export const knownSizes = (data: DataConfig, dataFolder?: string): KnownSizes => ({
  ...(expectedOf(data) ?? countsOf(data, dataFolder)),
  shape: exampleShape(data),
});

function countsOf(data: DataConfig, dataFolder?: string): Counts {
  switch (data.name) {
    case 'cifar10':
      return ofCifar(cifar10, data.classes);
    case 'cifar100':
      return ofCifar(data.labels === 'coarse' ? cifar100Coarse : cifar100, data.classes);
    case 'image-folder':
      return ofFolder(data, dataFolder);
    case 'imagenette':
      return ofImagenette(data.classes);
    case 'synthetic':
      return ofSynthetic(data.classes);
    case 'coco':
      return ofCoco(data, dataFolder);
    case 'shapes':
      return ofShapes(data);
    case 'synthetic-video':
      return ofSyntheticVideo(data.classes);
    case 'motion-of-photographs':
      return ofPhotographs(data, dataFolder);
    case 'video-folder':
      return ofVideoFolder(data, dataFolder);
  }
}

/** One image, `[height, width, channels]`, or clip, `[frames, height, width, channels]`. */
export function exampleShape(data: DataConfig): number[] {
  switch (data.name) {
    case 'cifar10':
    case 'cifar100':
    case 'synthetic':
      return [32, 32, 3];
    case 'image-folder':
    case 'imagenette':
      return [data.resolution, data.resolution, 3];
    case 'video-folder':
      return [data.frames, data.resolution, data.resolution, 3];
    case 'synthetic-video':
    case 'motion-of-photographs':
      return [data.frames, data.side, data.side, 3];
    case 'coco':
    case 'shapes': {
      const [{ height, width }] = canvasesOf(scenesOf(data));
      return [height, width, 3];
    }
  }
}
