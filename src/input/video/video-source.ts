/** Clips in files or folders of frames, decoded and cropped when their turn comes. */
import { writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Split, VideoReading } from '../../datasets/dataset.js';
import { type Pixels, scalePart } from '../../datasets/image-folder/decode.js';
import { clipPath, clipReader } from '../../datasets/video/read-clip.js';
import { decodedSide, gridView, randomView, type View } from '../../datasets/video/view.js';
import { UserError } from '../../errors.js';
import { Draws } from '../../random/random.js';
import { isSystemError } from '../../storage/system-errors.js';
import type { ExampleSource } from '../example-source.js';
import { labelledImages } from '../memory-source.js';

export interface VideoOptions {
  /** [frames, resolution, resolution, 3] */
  shape: number[];
  labels: Int32Array;
  files: NonNullable<Split['files']>;
  video: VideoReading;
  /** In training another clip may take a broken one's place. */
  train: boolean;
  views: { clips: number; crops: number };
}

// In a row; so many are no accident but a wrong folder.
const mostBroken = 100;

export async function openSource(options: VideoOptions): Promise<ExampleSource> {
  const { shape, labels, video, views } = options;
  const [frames, resolution] = shape;
  const sampling = { frames, resolution, interval: video.interval, jitter: video.jitter };
  const reader = await clipReader(video, decodedSide(sampling));
  const warned = new Set<number>();
  const size = frames * resolution * resolution * 3;
  return {
    count: labels.length,
    views: views.clips * views.crops,
    spec: labelledImages(shape),
    sideBySide: Math.max(2, availableParallelism()),
    async write(into, at, example, { augment, view }) {
      const to = (into.images as Uint8Array).subarray(at * size, (at + 1) * size);
      const writeClip = async (path: string) => {
        const clip = await reader.open(path);
        const first = await clip.frame(0);
        const extent = { count: clip.count, width: first.width, height: first.height };
        const part = augment
          ? randomView(extent, sampling, new Draws(augment.seed, 'clip', augment.epoch, example))
          : gridView(extent, sampling, views, view);
        for (const [place, index] of part.frames.entries()) {
          const frame = await clip.frame(index);
          if (frame.width !== extent.width || frame.height !== extent.height) {
            throw new UserError('the frames differ in size', {
              place: path,
              fix: 'scale them to one size, or remove the clip',
            });
          }
          const { data } = await squareOf(frame, part, resolution);
          to.set(part.flip ? mirrored(data, resolution) : data, place * data.length);
        }
      };
      into.labels[at] = labels[await firstSound(options, example, warned, writeClip)];
    },
  };
}

/** Reads clip `index`; in training, when it is broken and may be skipped, the next one in the split that is not. Gives its number. */
async function firstSound(
  { files, video, train }: VideoOptions,
  index: number,
  warned: Set<number>,
  readClip: (path: string) => Promise<void>,
): Promise<number> {
  for (let tries = 0, from = index; ; tries++, from = (from + 1) % files.paths.length) {
    try {
      await readClip(clipPath(files, from));
      return from;
    } catch (error) {
      const broken = error instanceof UserError && !isSystemError(error.cause);
      if (!broken || !train || video.onBroken === 'fail' || tries >= mostBroken) throw error;
      if (warned.has(from)) continue;
      warned.add(from);
      writeSync(2, `warning: ${error.place}: ${error.message}; another clip takes its place\n`);
    }
  }
}

const squareOf = (frame: Pixels, { left, top, side }: View, resolution: number) =>
  scalePart(frame, { left, top, width: side, height: side }, resolution, resolution);

/** Left and right exchanged. */
function mirrored(data: Uint8Array, side: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [from, to] = [(row * side + column) * 3, (row * side + side - 1 - column) * 3];
      for (let channel = 0; channel < 3; channel++) out[to + channel] = data[from + channel];
    }
  }
  return out;
}
