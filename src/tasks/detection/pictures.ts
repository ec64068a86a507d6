/** Pictures of the first images of a split: what is in them beside what was found. */
import type { CreateRaw } from 'sharp';
import type { Detection } from '../../coco/detections.js';
import { type Instances, instanceMask } from '../../coco/instances.js';
import { type Drawn, drawObjects } from '../../coco/picture.js';
import type { Sides } from '../../datasets/detection/canvas.js';
import { imageLibrary } from '../../datasets/image-folder/image-library.js';
import type { Batch } from '../../input/batch.js';

/** Images that are drawn. */
const most = 3;
/** The least score of what is drawn. */
const minScore = 0.5;
/** Pixels between pictures. */
const gap = 6;
/** The longer side of a picture: small images are enlarged by a whole number up to the first, large ones shrunk to the second. */
const [enlargedTo, shrunkTo] = [320, 512];

/** An image as the step saw it, without the canvas around it. */
export interface SeenImage {
  /** Its number in the split. */
  number: number;
  pixels: Uint8Array;
  height: number;
  width: number;
}

/**
 * Takes the images of a batch that are to be drawn.
 * @param seen those of the batches before, which they are added to
 */
export function keepImages(
  seen: SeenImage[],
  { images, image, size, canvas }: Batch,
  rows: number,
  canvases: readonly Sides[],
): void {
  if (!(images instanceof Uint8Array)) return;
  for (let row = 0; row < rows && seen.length < most; row++) {
    const [height, width] = size.subarray(2 * row, 2 * row + 2);
    const sides = canvases[canvas[row]];
    const pixels = new Uint8Array(height * width * 3);
    for (let y = 0; y < height; y++) {
      const start = (row * sides.height + y) * sides.width * 3;
      pixels.set(images.subarray(start, start + width * 3), y * width * 3);
    }
    seen.push({ number: image[row], pixels, height, width });
  }
}

/**
 * A WebP picture with a row for each image: the truth on the left, what was found on the right. Undefined where the image
 * library is not there, which no other part of a training on drawn scenes needs. Categories take their colours in the order
 * of their ids.
 */
export async function examplePictures(
  seen: readonly SeenImage[],
  { images, categories, objects }: Instances,
  detections: readonly Detection[],
): Promise<Uint8Array | undefined> {
  const sharp = await imageLibrary().catch(() => undefined);
  if (!sharp) return undefined;
  const order = categories.map(({ id }) => id).sort((a, b) => a - b);
  const placed: { input: Buffer; raw: CreateRaw; left: number; top: number }[] = [];
  let [top, right] = [0, 0];
  for (const { number, pixels, height: rows, width: columns } of seen) {
    const image = images[number];
    const { height, width } = image;
    const shown = shownSize(image);
    const asItWas = await sharp(pixels, { raw: { width: columns, height: rows, channels: 3 } })
      .resize(width, height, { fit: 'fill' })
      .raw()
      .toBuffer();
    const truth: Drawn[] = objects
      .filter((each) => each.image === image.id)
      .map((each) => ({ ...each, mask: instanceMask(each, image) }));
    const found = detections.filter((each) => each.image === image.id && each.score >= minScore);
    for (const [side, drawn] of [truth, found].entries()) {
      const copy = Uint8Array.from(asItWas);
      drawObjects(copy, height, width, drawn, order);
      const input = await sharp(copy, { raw: { width, height, channels: 3 } })
        .resize(shown.width, shown.height, {
          fit: 'fill',
          kernel: shown.width > width ? 'nearest' : 'lanczos3',
        })
        .raw()
        .toBuffer();
      placed.push({ input, raw: { ...shown, channels: 3 }, left: side * (shown.width + gap), top });
    }
    top += shown.height + gap;
    right = Math.max(right, 2 * shown.width + gap);
  }
  const size = { width: right, height: top - gap, channels: 3 as const, background: '#ffffff' };
  return sharp({ create: size }).composite(placed).webp({ quality: 80, smartSubsample: true }).toBuffer();
}

function shownSize({ height, width }: Sides): Sides {
  const longer = Math.max(height, width);
  const scale = longer > shrunkTo ? shrunkTo / longer : Math.max(1, Math.floor(enlargedTo / longer));
  const side = (pixels: number) => Math.max(1, Math.round(scale * pixels));
  return { height: side(height), width: side(width) };
}
