import type { Instances } from '../coco/instances.js';
import type { CanvasConfig } from './detection/canvas.js';
import type { ObjectTable } from './detection/object-table.js';

/** Numbers of images. */
export interface Sizes {
  train: number;
  validation: number;
}

/** Images of one split, in memory that worker threads share. */
export interface Split {
  count: number;
  /** [count], 0 … classes − 1. */
  labels: Int32Array<SharedArrayBuffer>;
  /** [count, ...shape], uint8; empty when the images stay in files. */
  images: Uint8Array<SharedArrayBuffer>;
  /** The images that stay on disk and are decoded ahead of the step: their paths, relative to `root`. */
  files?: { root: string; paths: string[] };
  /** The objects in the images, for a detector; labels are all 0 then. */
  objects?: ObjectTable;
  /** The annotations, for a metric that compares with more than a batch holds. */
  truth?: Instances;
}

/** How images with objects are put on canvases. */
export interface Scenes extends CanvasConfig {
  /** Objects an image at the most. */
  mostObjects: number;
}

export interface Dataset {
  name: string;
  classes: number;
  /** The names of the classes in the order of their labels, where they have names. */
  classNames?: readonly string[];
  /** The shape that a model sees: [height, width, channels] of an image, [frames, height, width, channels] of a clip. */
  shape: number[];
  /** Per channel, on the scale of 0 … 255. */
  mean: number[];
  std: number[];
  train: Split;
  validation: Split;
  /** sha256 of each file that was read; for drawn data, of the pixels. */
  checksums: Record<string, string>;
  /** True when every file is the one that its authors published. */
  official: boolean;
  /** How results got on it have to be labelled when it is not. */
  note?: string;
  /** Present when the images stay in files. */
  decoding?: Decoding;
  /** Present when the images have objects; `shape` is the first canvas's. */
  scenes?: Scenes;
  /** Present when clips stay in files. */
  video?: VideoReading;
  /** Present when clips are drawn of photographs that stay in files. */
  photographs?: Photographs;
}

/** The word for a data set's examples. */
export const examplesOf = ({ shape }: Pick<Dataset, 'shape'>): 'images' | 'clips' =>
  shape.length === 4 ? 'clips' : 'images';

/** How photographs in files become clips of [frames, side, side, 3]. */
export interface Photographs extends Pick<Decoding, 'onBroken' | 'cacheBytes'> {
  /** The motion that each label stands for. */
  motions: readonly number[];
  frameOrder: 'shown' | 'shuffled';
}

/** How files of clips, or folders of frames, become clips of [frames, resolution, resolution, 3]. */
export interface VideoReading extends Pick<Decoding, 'onBroken' | 'cacheBytes'> {
  /** The program that decodes files. */
  ffmpeg: string;
  interval: number;
  jitter: number;
  views: { clips: number; crops: number };
}

/** How image files become images of [resolution, resolution, 3]. */
export interface Decoding {
  /** Brightness, contrast and saturation are changed by up to this share in training. */
  colourJitter: number;
  /** Standard deviation of the PCA lighting in training. */
  lighting: number;
  /** The answer to a file that cannot be decoded: the run fails, or another image takes its place. */
  onBroken: 'fail' | 'skip';
  /** Room on disk for decoded images, in bytes; 0 for none. */
  cacheBytes: number;
}

/** A split of `count` images of `size` bytes each, all zero. */
export function emptySplit(count: number, size: number): Split {
  return {
    count,
    labels: new Int32Array(new SharedArrayBuffer(count * 4)),
    images: new Uint8Array(new SharedArrayBuffer(count * size)),
  };
}
