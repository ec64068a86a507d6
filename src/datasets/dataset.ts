/** Images of one split, in memory that worker threads share. */
export interface Split {
  count: number;
  /** [count], 0 … classes − 1. */
  labels: Int32Array<SharedArrayBuffer>;
  /** [count, height, width, channels], uint8; empty when they are photographs. */
  images: Uint8Array<SharedArrayBuffer>;
  /** Photographs stay on disk and are decoded ahead of the step: their paths, relative to `root`. */
  photos?: { root: string; paths: string[] };
}

export interface Dataset {
  name: string;
  classes: number;
  /** [height, width, channels] of what a model sees. */
  shape: [number, number, number];
  /** Per channel, on the scale of 0 … 255. */
  mean: number[];
  std: number[];
  train: Split;
  validation: Split;
  /** sha256 of each file that was read; for drawn data, of the pixels. */
  checksums: Record<string, string>;
  /** Whether every file is the one that its authors published. */
  official: boolean;
  /** How results got on it have to be labelled when it is not. */
  note?: string;
  /** Present when the images are photographs. */
  photography?: Photography;
}

/** How photographs become images of [resolution, resolution, 3]. */
export interface Photography {
  /** Brightness, contrast and saturation are changed by up to this share in training. */
  colourJitter: number;
  /** Standard deviation of the PCA lighting in training. */
  lighting: number;
  /** What happens when a file cannot be decoded: the run fails, or another image takes its place. */
  onBroken: 'fail' | 'skip';
  /** Room on disk for decoded photographs, in bytes; 0 for none. */
  cacheBytes: number;
}

/** What the `data` key of a configuration says. */
export interface DataConfig {
  name: string;
  /** Only these, by label or name, relabelled 0, 1, … in this order. */
  classes?: readonly (number | string)[];
  trainSubset?: number;
  valSubset?: number;
  validation: 'test' | { fromTrain: number };
  /** CIFAR-100's. */
  labels?: 'fine' | 'coarse';
}

/** The same for `image-folder`. */
export interface PhotoConfig extends DataConfig {
  /** Folders with a folder for each class. */
  train: string;
  val: string;
  /** Height and width that a model sees. */
  resolution: number;
  colourJitter: number;
  lighting: number;
  onBroken: 'fail' | 'skip';
  /** Room for decoded photographs, in GB (10^9 bytes); 0 for none. */
  decodedCache: number;
  /** What has to be there: checked when the data is loaded, believed when a run is only planned. */
  expect?: { classes: number; train: number; val: number };
}

/** A split of `count` images of `size` bytes each, all zero. */
export function emptySplit(count: number, size: number): Split {
  return {
    count,
    labels: new Int32Array(new SharedArrayBuffer(count * 4)),
    images: new Uint8Array(new SharedArrayBuffer(count * size)),
  };
}
