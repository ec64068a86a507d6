import { Draws } from '../random/random.js';

const padding = 4;
const draws = new Draws(0, 'augment');

/**
 * The standard CIFAR augmentation (He et al. 2016, section 4.2): pad 4 pixels on each side, take a random crop of the
 * image's own size, flip it left to right half of the time. Writes `height · width · channels` bytes to `out` from
 * `outOffset` on. The border is the data set's mean, rounded: zero, within half a grey level, once normalised.
 *
 * @param image one image, [height, width, channels], uint8
 * @param epoch from 1
 * @param index the image's place in its split; (seed, epoch, index) decides shift and flip, nothing else does
 */
export function augmentInto(
  out: Uint8Array,
  outOffset: number,
  image: Uint8Array,
  shape: readonly [number, number, number],
  seed: number,
  epoch: number,
  index: number,
  mean: readonly number[],
): void {
  draws.restart(seed, 'augment', epoch, index);
  const down = draws.below(2 * padding + 1) - padding;
  const right = draws.below(2 * padding + 1) - padding;
  cropInto(out, outOffset, image, shape, down, right, draws.below(2) === 1, mean);
}

/** The crop whose upper left corner is `down`, `right` of the image's own (either may be negative). */
export function cropInto(
  out: Uint8Array,
  outOffset: number,
  image: Uint8Array,
  [height, width, channels]: readonly [number, number, number],
  down: number,
  right: number,
  flip: boolean,
  mean: readonly number[],
): void {
  const border = borderRow(width, channels, mean);
  const row = width * channels;
  // The output columns that fall inside the image; flipping mirrors where they lie.
  const first = Math.max(0, flip ? right : -right);
  const end = Math.min(width, width + (flip ? right : -right));
  for (let y = 0; y < height; y++, outOffset += row) {
    const line = y + down;
    if (line < 0 || line >= height || first >= end) {
      out.set(border, outOffset);
      continue;
    }
    if (first > 0 || end < width) out.set(border, outOffset);
    if (flip) {
      let to = outOffset + first * channels;
      let from = line * row + (width - 1 - first + right) * channels;
      for (let x = first; x < end; x++, from -= channels) {
        for (let c = 0; c < channels; c++) out[to++] = image[from + c];
      }
    } else {
      const from = line * row + (first + right) * channels;
      out.set(image.subarray(from, from + (end - first) * channels), outOffset + first * channels);
    }
  }
}

let lastBorder: { key: string; row: Uint8Array } | undefined;

/** One row of border pixels; the last one is kept, as a run has only one. */
function borderRow(width: number, channels: number, mean: readonly number[]): Uint8Array {
  const key = `${width} ${channels} ${mean}`;
  if (lastBorder?.key !== key) {
    const row = Uint8Array.from({ length: width * channels }, (_, at) => Math.round(mean[at % channels]));
    lastBorder = { key, row };
  }
  return lastBorder.row;
}
