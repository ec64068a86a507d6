/** Images or clips in memory, as CIFAR's and drawn ones are. */
import { augmentInto } from './augment.js';
import type { BatchSpec } from './batch.js';
import type { ExampleSource } from './example-source.js';

export interface MemoryOptions {
  shape: number[];
  /** The data set's mean of each channel: the border of shifted images. */
  mean: number[];
  images: Uint8Array;
  labels: Int32Array;
}

/** Images, or clips, with a label each. */
export const labelledImages = (shape: readonly number[]): BatchSpec => ({
  images: { shape, dtype: 'uint8' },
  labels: { shape: [], dtype: 'int32' },
});

export function openSource({ shape, mean, images, labels }: MemoryOptions): ExampleSource {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return {
    count: labels.length,
    spec: labelledImages(shape),
    write(into, at, example, { augment }) {
      const image = images.subarray(example * size, (example + 1) * size);
      const to = into.images as Uint8Array;
      if (augment)
        augmentInto(
          to,
          at * size,
          image,
          shape as [number, number, number],
          augment.seed,
          augment.epoch,
          example,
          mean,
        );
      else to.set(image, at * size);
      into.labels[at] = labels[example];
    },
  };
}
