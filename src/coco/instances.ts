/**
 * COCO's `instances_*.json`: images, categories and the objects in them, read once into a compact form. What cannot be
 * trained on or scored is found here, before anything is computed.
 */
import { readFile } from 'node:fs/promises';
import { UserError } from '../errors.js';
import { fileError } from '../storage/system-errors.js';
import { counted, listUpTo } from '../terminal/words.js';
import type { Box, TrueObject } from './detections.js';
import { polygonsMask } from './polygon.js';
import { expandCounts, type RunLengths } from './run-length.js';

export interface InstanceImage {
  id: number;
  /** The file's name in the folder of images. */
  file: string;
  width: number;
  height: number;
}

/** An annotation. Its mask is kept as it was written, polygons or run lengths, and rasterised when asked for. */
export interface Instance extends Omit<TrueObject, 'mask'> {
  id: number;
  segmentation: Segmentation | undefined;
}

/** Polygons, each x and y of its corners in turn, or run lengths. */
type Segmentation = { polygons: Float64Array[] } | { counts: Uint32Array };

export interface Instances {
  images: InstanceImage[];
  /** In the file's order; ids may have gaps. */
  categories: { id: number; name: string }[];
  objects: Instance[];
  /** The annotations that were left out, and why; empty unless it was asked to skip. */
  skipped: string[];
  /** Those that are always left out: their boxes have no width or no height, as two of COCO's have. */
  withoutArea: string[];
}

/** @returns the object's mask at its image's size; undefined where it has none */
export function instanceMask(
  { segmentation }: Instance,
  { height, width }: Pick<InstanceImage, 'height' | 'width'>,
): RunLengths | undefined {
  if (!segmentation) return undefined;
  if ('counts' in segmentation) return { height, width, counts: segmentation.counts };
  return polygonsMask(segmentation.polygons, height, width);
}

/** These of its images, and their objects alone. */
export function ofImages(instances: Instances, images: InstanceImage[]): Instances {
  const ids = new Set(images.map(({ id }) => id));
  return { ...instances, images, objects: instances.objects.filter(({ image }) => ids.has(image)) };
}

/**
 * Reads an annotation file.
 * @param onBroken `skip` leaves out annotations that are broken and says so in `skipped`
 * @throws UserError with the file, the image and the annotation
 */
export async function readInstances(file: string, onBroken: 'fail' | 'skip' = 'fail'): Promise<Instances> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw fileError(cause, 'the annotations cannot be read', file, { exitCode: 2 });
  });
  return parseInstances(text, file, onBroken);
}

/** Says on stderr which annotations were left out, if any, the first of them with the reason. */
export function sayLeftOut(file: string, { skipped, withoutArea }: Instances): void {
  const all = [...skipped, ...withoutArea];
  if (all.length === 0) return;
  const what = `${counted(all.length, 'annotation')} left out: ${listUpTo(all, 5)}`;
  process.stderr.write(`warning: ${file}: ${what}\n`);
}

/** The same, of the file's text. */
export function parseInstances(text: string, file: string, onBroken: 'fail' | 'skip' = 'fail'): Instances {
  const fail = (message: string): never => {
    throw new UserError(message, { place: file, fix: "use a file in the form of COCO's instances_*.json" });
  };
  const root = parseJson(text, fail);
  const list = (key: string) => {
    const entries = isObject(root) ? root[key] : undefined;
    if (!Array.isArray(entries)) return fail(`the list "${key}" is missing`);
    return entries as unknown[];
  };
  const categories = list('categories').map((entry, at) => {
    if (!isObject(entry) || !isId(entry.id) || typeof entry.name !== 'string') {
      return fail(`categories[${at}] has no id and name`);
    }
    return { id: entry.id, name: entry.name };
  });
  unique(categories, 'category', fail);
  if (categories.length === 0) fail('there is no category');
  const images = list('images').map((entry, at) => imageOf(entry, at, fail));
  unique(images, 'image', fail);

  const imageOfId = new Map(images.map((image) => [image.id, image]));
  const known = new Set(categories.map(({ id }) => id));
  const objects: Instance[] = [];
  const [skipped, withoutArea]: string[][] = [[], []];
  const seen = new Set<number>();
  for (const [at, entry] of list('annotations').entries()) {
    try {
      const object = objectOf(entry, at, imageOfId, known);
      if (seen.has(object.id)) throw new BrokenAnnotation(`annotation ${object.id} stands there twice`);
      seen.add(object.id);
      objects.push(object);
    } catch (error) {
      if (!(error instanceof BrokenAnnotation)) throw error;
      if (error instanceof NoArea) {
        withoutArea.push(error.message);
        continue;
      }
      if (onBroken === 'fail') {
        throw new UserError(error.message, {
          place: file,
          fix: 'mend or remove the annotation, or leave such ones out with data.onBroken: skip',
        });
      }
      skipped.push(error.message);
    }
  }
  return { images, categories, objects, skipped, withoutArea };
}

class BrokenAnnotation extends Error {}

/** A box without width or height: nothing can be found there, and the file need not be wrong. */
class NoArea extends BrokenAnnotation {}

type JsonObject = Record<string, unknown>;
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber = (value: unknown): value is number => Number.isFinite(value);

function parseJson(text: string, fail: (message: string) => never): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(`it is not JSON (${(error as Error).message})`);
  }
}

function unique(entries: { id: number }[], what: string, fail: (message: string) => never): void {
  const seen = new Set<number>();
  for (const { id } of entries) {
    if (seen.has(id)) fail(`${what} ${id} stands there twice`);
    seen.add(id);
  }
}

/** More would overflow the run lengths. */
const mostPixels = 2 ** 31 - 1;

function imageOf(entry: unknown, at: number, fail: (message: string) => never): InstanceImage {
  if (!isObject(entry) || !isId(entry.id)) return fail(`images[${at}] has no id`);
  const { id, width, height, file_name: file } = entry;
  if (typeof file !== 'string' || file === '') return fail(`image ${id} has no file_name`);
  if (/(^|[\\/])\.\.([\\/]|$)|^[\\/]|\0/.test(file))
    return fail(`image ${id}: ${JSON.stringify(file)} leaves the folder`);
  const isSide = (side: unknown): side is number => isId(side) && side > 0;
  if (!isSide(width) || !isSide(height) || width * height > mostPixels) {
    return fail(`image ${id} has no sound width and height`);
  }
  return { id, file, width, height };
}

function objectOf(
  entry: unknown,
  at: number,
  images: Map<number, InstanceImage>,
  categories: Set<number>,
): Instance {
  if (!isObject(entry) || !isId(entry.id)) throw new BrokenAnnotation(`annotations[${at}] has no id`);
  const { id, image_id, category_id, bbox, area, iscrowd } = entry;
  const image = isId(image_id) ? images.get(image_id) : undefined;
  if (!image)
    throw new BrokenAnnotation(`annotation ${id} is of image ${printed(image_id)}, which is not listed`);
  const broken = (message: string): never => {
    throw new BrokenAnnotation(`annotation ${id} (image ${image.id}, ${image.file}): ${message}`);
  };
  if (!isId(category_id) || !categories.has(category_id)) {
    return broken(`there is no category ${printed(category_id)}`);
  }
  const segmentation = segmentationOf(entry.segmentation, image, broken);
  const box = boxOf(bbox, image, broken);
  if (box[2] === 0 || box[3] === 0) {
    throw new NoArea(`annotation ${id} (image ${image.id}, ${image.file}): its box [${box}] has no area`);
  }
  return {
    id,
    image: image.id,
    category: category_id,
    crowd: iscrowd === 1 || iscrowd === true,
    area: isNumber(area) && area >= 0 ? area : box[2] * box[3],
    box,
    segmentation,
  };
}

/** Boxes may stick out by a rounding; what counts is that something of them is in the image. */
function boxOf(bbox: unknown, { width, height }: InstanceImage, broken: (message: string) => never): Box {
  if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every(isNumber)) {
    return broken('bbox is not four numbers: x, y, width, height');
  }
  const [x, y, w, h] = bbox as number[];
  if (w < 0 || h < 0) return broken(`its box [${bbox}] has a side below 0`);
  const hasArea = w > 0 && h > 0;
  if (hasArea && (x >= width || y >= height || x + w <= 0 || y + h <= 0)) {
    return broken(`its box [${bbox}] lies outside of the image of ${width}×${height}`);
  }
  return [x, y, w, h];
}

function segmentationOf(
  segmentation: unknown,
  { width, height }: InstanceImage,
  broken: (message: string) => never,
): Segmentation | undefined {
  if (segmentation === undefined || segmentation === null) return undefined;
  if (Array.isArray(segmentation)) {
    if (segmentation.length === 0) return undefined;
    const polygons = segmentation.map((polygon) => {
      if (!Array.isArray(polygon) || !polygon.every((value) => isNumber(value) && Math.abs(value) < 1e6)) {
        return broken('a polygon is not a list of numbers');
      }
      if (polygon.length < 6 || polygon.length % 2 === 1) {
        return broken(
          `a polygon has ${polygon.length} numbers, and needs two each for three corners or more`,
        );
      }
      return Float64Array.from(polygon as number[]);
    });
    return { polygons };
  }
  if (!isObject(segmentation)) return broken('its segmentation is neither polygons nor run lengths');
  const { size, counts } = segmentation;
  if (!Array.isArray(size) || size[0] !== height || size[1] !== width) {
    return broken(`its mask has the size ${printed(size)}, the image [${height}, ${width}] (height, width)`);
  }
  const runs = runsOf(counts, broken);
  const pixels = runs.reduce((sum, run) => sum + run, 0);
  if (pixels !== width * height) {
    return broken(`its mask's runs add up to ${pixels} pixels, the image has ${width * height}`);
  }
  return { counts: runs };
}

function runsOf(counts: unknown, broken: (message: string) => never): Uint32Array {
  if (Array.isArray(counts)) {
    if (counts.every((count) => isId(count) && count <= mostPixels))
      return Uint32Array.from(counts as number[]);
    return broken("its mask's counts are not all whole numbers from 0 on");
  }
  if (typeof counts !== 'string') return broken('its mask has no counts');
  try {
    return expandCounts(counts);
  } catch (error) {
    return broken(`its mask cannot be read: ${(error as Error).message}`);
  }
}

const printed = (value: unknown): string => (JSON.stringify(value) ?? 'undefined').slice(0, 40);
