/** The two sides that COCO's metric compares: the objects in the images, and a detector's detections. */
import type { RunLengths } from './run-length.js';

/** `[x, y, width, height]` in pixels. */
export type Box = readonly [number, number, number, number];

export interface TrueObject {
  image: number;
  category: number;
  box: Box;
  /** The area by which it counts as small, medium or large: for boxes, too, that of the mask. */
  area: number;
  crowd: boolean;
  mask?: RunLengths;
}

export interface Detection {
  image: number;
  category: number;
  score: number;
  box: Box;
  mask?: RunLengths;
}

export interface Evaluated {
  /** Compare boxes, or masks. */
  by: 'box' | 'mask';
  images: readonly number[];
  categories: readonly number[];
  truth: readonly TrueObject[];
  detections: readonly Detection[];
}

/** Ten thresholds of overlap: 0.5, 0.55, …, 0.95. */
export const overlapThresholds = Float64Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : i * ((0.95 - 0.5) / 9) + 0.5,
);

/** Areas in pixels, both ends included. */
export const areaRanges = {
  all: [0, 1e5 ** 2],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e5 ** 2],
} as const;
export type AreaRange = keyof typeof areaRanges;
