/** Clips of photographs that move, drawn when their turn comes. */
import type { Photographs, Split } from '../../datasets/dataset.js';
import { decodedCacheFolder } from '../../datasets/download/locate.js';
import { type Pixels, scalePart } from '../../datasets/image-folder/decode.js';
import { DecodedCache } from '../../datasets/image-folder/decoded-cache.js';
import { drawMotion, placements, type Sampler } from '../../datasets/video/motions.js';
import { Draws, shuffled } from '../../random/random.js';
import type { ExampleSource } from '../example-source.js';
import { ImageFiles } from '../image-files.js';
import { labelledImages } from '../memory-source.js';

export interface PhotographMotionOptions {
  /** [frames, side, side, 3] */
  shape: number[];
  /** A label for each photograph, in evaluation and in the first epoch. */
  labels: Int32Array;
  files: NonNullable<Split['files']>;
  photographs: Photographs;
  train: boolean;
}

// Not the run's seed: in evaluation every run sees the same clips.
const evaluationSeed = 180_308_497;

/** A frame shows so much of a photograph's shorter side when it is not zoomed: what moves in is mostly there. */
const shown = 0.8;

export async function openSource(options: PhotographMotionOptions): Promise<ExampleSource> {
  const { shape, labels, files, photographs, train } = options;
  const { motions, frameOrder, onBroken, cacheBytes } = photographs;
  const [frames, side] = shape;
  const size = frames * side * side * 3;
  const cache = await DecodedCache.open(decodedCacheFolder(), cacheBytes);
  const images = new ImageFiles({ files, decoding: { onBroken, cacheBytes }, train }, cache);
  return {
    count: labels.length,
    spec: labelledImages(shape),
    sideBySide: 4,
    async write(into, at, example, { augment }) {
      const { pixels, from } = await images.read(example);
      // From epoch to epoch a photograph moves in all ways, so that knowing it again tells nothing of its class.
      const label = augment ? (labels[from] + augment.epoch - 1) % motions.length : labels[from];
      const draws = augment
        ? new Draws(augment.seed, 'clip', augment.epoch, example)
        : new Draws(evaluationSeed, 'clip', train ? 1 : 2, from);
      const moved = placements(motions[label], frames, side, draws);
      const picture = samplerOf(await scaled(pixels, Math.round(side / shown)), draws);
      // Drawn last: shuffled frames are the same frames.
      const order = frameOrder === 'shuffled' ? shuffled(frames, draws) : moved.keys();
      const placed = Array.from(order, (frame) => moved[frame]);
      drawMotion(picture, placed, side, draws, 0, into.images as Uint8Array, at * size);
      into.labels[at] = label;
    },
  };
}

/** The photograph with a shorter side of so many pixels. */
function scaled(photograph: Pixels, shorterSide: number): Promise<Pixels> {
  const { width, height } = photograph;
  const scale = shorterSide / Math.min(width, height);
  const to = (length: number) => Math.max(1, Math.round(length * scale));
  return scalePart(photograph, { left: 0, top: 0, width, height }, to(width), to(height));
}

/** Bilinear, about a point of the photograph that is drawn, and mirrored at its edges. */
function samplerOf({ data, width, height }: Pixels, draws: Draws): Sampler {
  const centreX = draws.between(0.3, 0.7) * (width - 1);
  const centreY = draws.between(0.3, 0.7) * (height - 1);
  return (x, y, out) => {
    const column = mirrored(centreX + x, width - 1);
    const row = mirrored(centreY + y, height - 1);
    const [left, top] = [Math.floor(column), Math.floor(row)];
    const [u, v] = [column - left, row - top];
    const right = Math.min(left + 1, width - 1);
    const below = Math.min(top + 1, height - 1) * width;
    const above = top * width;
    for (let channel = 0; channel < 3; channel++) {
      const at = (pixel: number) => data[pixel * 3 + channel];
      const upper = at(above + left) * (1 - u) + at(above + right) * u;
      const lower = at(below + left) * (1 - u) + at(below + right) * u;
      out[channel] = upper * (1 - v) + lower * v;
    }
  };
}

/** A place on a line of this length that goes there and back again. */
function mirrored(place: number, length: number): number {
  if (length === 0) return 0;
  const along = Math.abs(place) % (2 * length);
  return along > length ? 2 * length - along : along;
}
