/** Images with boxes and masks, scaled, mirrored and put on their canvas when their turn comes. */
import { writeSync } from 'node:fs';
import type { Decoding, Scenes, Split } from '../datasets/dataset.js';
import { canvasesOf, canvasOf, scaledSize } from '../datasets/detection/canvas.js';
import {
  type ObjectTable,
  type Placement,
  placedBox,
  placedMask,
} from '../datasets/detection/object-table.js';
import { decodedCacheFolder } from '../datasets/download/locate.js';
import { type Pixels, scalePart } from '../datasets/image-folder/decode.js';
import { DecodedCache } from '../datasets/image-folder/decoded-cache.js';
import { Draws } from '../random/random.js';
import { type Batch, sizeOf, writeRagged } from './batch.js';
import type { ExampleSource } from './example-source.js';
import { ImageFiles } from './image-files.js';
import { ObjectKind, objectArrays } from './object-arrays.js';

export interface ObjectOptions {
  objects: ObjectTable;
  scenes: Scenes;
  /** The data set's mean of each channel: the canvas around an image. */
  mean: number[];
  /** In training another image may take a broken one's place. */
  train: boolean;
  /** The place of the images: in files, or in memory. */
  files?: NonNullable<Split['files']>;
  decoding?: Decoding;
  images: Uint8Array;
}

export async function openSource(options: ObjectOptions): Promise<ExampleSource> {
  const { objects, scenes, mean } = options;
  const spec = objectArrays(scenes);
  const canvases = canvasesOf(scenes);
  const count = objects.first.length - 1;
  const sizes = (example: number) => ({
    height: objects.sizes[2 * example],
    width: objects.sizes[2 * example + 1],
  });
  const read = await reader(options, sizes, (example) => canvasOf(sizes(example), canvases));
  const pixelCount = sizeOf(spec.images);
  return {
    count,
    spec,
    sideBySide: 4,
    async write(into, at, example, { augment }) {
      const { pixels, from } = await read(example);
      const number = canvasOf(sizes(from), canvases);
      const flip =
        augment !== undefined && new Draws(augment.seed, 'flip', augment.epoch, example).below(2) === 1;
      const placement: Placement = {
        from: sizes(from),
        to: scaledSize(sizes(from), scenes),
        canvas: canvases[number],
        flip,
      };
      const { height, width } = placement.to;
      const whole = { left: 0, top: 0, ...placement.from };
      const isAsItWas = height === pixels.height && width === pixels.width;
      const scaled = isAsItWas ? pixels : await scalePart(pixels, whole, width, height, 'linear');
      const canvas = (into.images as Uint8Array).subarray(at * pixelCount, (at + 1) * pixelCount);
      paste(canvas, placement, scaled, mean);
      writeObjects(into, at, from, placement);
      into.size.set([height, width], 2 * at);
      into.image[at] = from;
      into.canvas[at] = number;
    },
  };

  function writeObjects(into: Batch, at: number, example: number, placement: Placement): void {
    const { first, classes, crowds } = objects;
    const all = Array.from({ length: first[example + 1] - first[example] }, (_, i) => first[example] + i);
    const kept = all.slice(0, scenes.mostObjects);
    const room = spec.runs.shape[0];
    const runs = (into.runs as Int32Array).subarray(at * room, (at + 1) * room).fill(0);
    const start = (into.start as Int32Array).subarray(at * spec.start.shape[0]);
    const kinds: number[] = kept.map((object) => (crowds[object] ? ObjectKind.crowd : ObjectKind.object));
    let used = 0;
    start[0] = 0;
    for (let row = 0; row < scenes.mostObjects; row++) {
      const mask = kinds[row] === ObjectKind.object ? placedMask(objects, kept[row], placement) : undefined;
      if (mask && used + mask.counts.length > room) {
        // It can be neither learnt nor taken for background.
        kinds[row] = ObjectKind.crowd;
        writeSync(2, `warning: image ${example}: no room for the mask of object ${row}; it is ignored\n`);
      } else if (mask) {
        runs.set(mask.counts, used);
        used += mask.counts.length;
      }
      start[row + 1] = used;
    }
    writeRagged(spec, into, at, {
      boxes: kept.flatMap((object) => placedBox(objects, object, placement)),
      classes: kept.map((object) => classes[object]),
      kind: kinds,
    });
  }
}

/** @returns how an example's pixels are read, and which example they really are of */
async function reader(
  { images, files, decoding, train, objects }: ObjectOptions,
  sizes: (example: number) => { height: number; width: number },
  canvas: (example: number) => number,
): Promise<(example: number) => Promise<{ pixels: Pixels; from: number }>> {
  if (files && decoding) {
    const all = new ImageFiles(
      { files, decoding, train },
      await DecodedCache.open(decodedCacheFolder(), decoding.cacheBytes),
    );
    const count = objects.first.length - 1;
    /** The next image on the same canvas: a batch has one only. */
    const next = (from: number) => {
      let other = (from + 1) % count;
      while (canvas(other) !== canvas(from)) other = (other + 1) % count;
      return other;
    };
    return (example) => all.read(example, next);
  }
  return async (example) => {
    const { height, width } = sizes(example);
    const size = height * width * 3;
    return {
      pixels: { data: images.subarray(example * size, (example + 1) * size), height, width },
      from: example,
    };
  };
}

/** Fills a canvas: the image in its upper left corner, the mean around it. */
function paste(to: Uint8Array, { canvas, flip }: Placement, image: Pixels, mean: readonly number[]): void {
  const row = canvas.width * 3;
  const border = Uint8Array.from({ length: row }, (_, at) => Math.round(mean[at % 3]));
  for (let y = 0; y < canvas.height; y++) {
    to.set(border, y * row);
    if (y >= image.height) continue;
    const line = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    if (!flip) {
      to.set(line, y * row);
      continue;
    }
    for (let x = 0, from = line.length - 3; x < line.length; x += 3, from -= 3) {
      for (let c = 0; c < 3; c++) to[y * row + x + c] = line[from + c];
    }
  }
}
