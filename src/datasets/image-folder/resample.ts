/**
 * Images enlarged, along one axis or both, with pixels as points at their centres: output i samples the input at
 * (i + ½)·from/to − ½, as in Pillow and PyTorch (`align_corners=False`), and as boxes and masks are scaled here. libvips, which
 * reduces images so, enlarges them half an output pixel to the right and down (libvips issue 943).
 */
import type { Pixels } from './pixels.js';

export type Kernel = 'cubic' | 'linear';

/** A rectangle of an image, in its pixels. */
export interface Part {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Catmull and Rom's cubic, and the triangle; 0 from `radius` on. */
const kernels: Record<Kernel, { radius: number; at: (x: number) => number }> = {
  cubic: {
    radius: 2,
    at: (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0),
  },
  linear: { radius: 1, at: (x) => Math.max(0, 1 - x) },
};

/** For each output the first of the inputs that it is made of, and their weights, which add up to 1. */
interface Taps {
  first: number;
  weights: Float32Array;
}

/** Along an axis that shrinks the kernel is as much wider, so that every input has its share. */
function tapsOf(from: number, to: number, kernel: Kernel): Taps[] {
  const { radius, at } = kernels[kernel];
  const step = from / to;
  const stretch = Math.max(1, step);
  return Array.from({ length: to }, (_, output) => {
    const centre = (output + 0.5) * step;
    const first = Math.max(0, Math.round(centre - radius * stretch));
    const end = Math.min(from, Math.round(centre + radius * stretch));
    const weights = Float32Array.from({ length: end - first }, (_, tap) =>
      at(Math.abs(first + tap + 0.5 - centre) / stretch),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** The part of an image, scaled to `width` × `height`. */
export function resample(image: Pixels, part: Part, width: number, height: number, kernel: Kernel): Pixels {
  const across = tapsOf(part.width, width, kernel);
  const down = tapsOf(part.height, height, kernel);
  const row = width * 3;
  const rows = new Float32Array(part.height * row);
  for (let y = 0; y < part.height; y++) {
    const source = ((part.top + y) * image.width + part.left) * 3;
    for (let x = 0; x < width; x++) {
      const { first, weights } = across[x];
      let [red, green, blue] = [0, 0, 0];
      for (let tap = 0, at = source + first * 3; tap < weights.length; tap++, at += 3) {
        red += weights[tap] * image.data[at];
        green += weights[tap] * image.data[at + 1];
        blue += weights[tap] * image.data[at + 2];
      }
      const to = y * row + x * 3;
      rows[to] = red;
      rows[to + 1] = green;
      rows[to + 2] = blue;
    }
  }
  // Uint8ClampedArray rounds, and keeps what a cubic overshoots in range.
  const data = new Uint8ClampedArray(height * row);
  const sums = new Float32Array(row);
  for (let y = 0; y < height; y++) {
    const { first, weights } = down[y];
    sums.fill(0);
    for (let tap = 0; tap < weights.length; tap++) {
      const weight = weights[tap];
      const from = (first + tap) * row;
      for (let x = 0; x < row; x++) sums[x] += weight * rows[from + x];
    }
    data.set(sums, y * row);
  }
  return { data: new Uint8Array(data.buffer), width, height };
}
