/** Images of one split, in memory that worker threads share. */
export interface Split {
  count: number;
  /** [count], 0 … classes − 1. */
  labels: Int32Array<SharedArrayBuffer>;
  /** [count, height, width, channels], uint8. */
  images: Uint8Array<SharedArrayBuffer>;
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
}

/** What the `data` key of a configuration says. */
export interface DataConfig {
  name: string;
  trainSubset?: number;
  valSubset?: number;
  validation: 'test' | { fromTrain: number };
  /** CIFAR-100's. */
  labels?: 'fine' | 'coarse';
}

/** A split of `count` images of `size` bytes each, all zero. */
export function emptySplit(count: number, size: number): Split {
  return {
    count,
    labels: new Int32Array(new SharedArrayBuffer(count * 4)),
    images: new Uint8Array(new SharedArrayBuffer(count * size)),
  };
}
