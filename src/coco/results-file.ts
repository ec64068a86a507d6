/**
 * COCO's results format (`detections.json`): a list of `{image_id, category_id, score, bbox, segmentation}`, as every
 * detector writes it and COCO's server takes it. Read to score anybody's detections, written beside a run's curves.
 */
import { readFile } from 'node:fs/promises';
import { UserError } from '../errors.js';
import { fileError } from '../storage/system-errors.js';
import type { Detection } from './detections.js';
import type { Instances } from './instances.js';
import { compressCounts, expandCounts, maskBox, type RunLengths } from './run-length.js';

/** The text of a results file; numbers keep all of their digits. */
export function resultsText(detections: readonly Detection[]): string {
  const rows = detections.map(({ image, category, score, box, mask }) =>
    JSON.stringify({
      image_id: image,
      category_id: category,
      score,
      bbox: box,
      ...(mask && { segmentation: { size: [mask.height, mask.width], counts: compressCounts(mask.counts) } }),
    }),
  );
  return rows.length === 0 ? '[]\n' : `[\n${rows.join(',\n')}\n]\n`;
}

/**
 * Reads detections of the images and categories of `instances`.
 * @param by what they are to be compared by: with `mask`, each needs a segmentation; a box is taken from it if missing
 * @throws UserError with the file and the entry's number
 */
export async function readResults(
  file: string,
  instances: Pick<Instances, 'images' | 'categories'>,
  by: 'box' | 'mask',
): Promise<Detection[]> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw fileError(cause, 'the detections cannot be read', file, { exitCode: 2 });
  });
  return parseResults(text, file, instances, by);
}

/** The same, of the file's text. */
export function parseResults(
  text: string,
  file: string,
  { images, categories }: Pick<Instances, 'images' | 'categories'>,
  by: 'box' | 'mask',
): Detection[] {
  const fail = (message: string): never => {
    throw new UserError(message, {
      place: file,
      fix: "use COCO's results format: a list of {image_id, category_id, score, bbox, segmentation}",
    });
  };
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (error) {
    return fail(`it is not JSON (${(error as Error).message})`);
  }
  if (!Array.isArray(entries)) return fail('it is not a list of detections');
  const sizes = new Map(images.map((image) => [image.id, image]));
  const known = new Set(categories.map(({ id }) => id));
  return entries.map((entry, at) => {
    const broken = (message: string) => fail(`detection ${at}: ${message}`);
    if (typeof entry !== 'object' || entry === null) return broken('it is not an object');
    const { image_id, category_id, score, bbox, segmentation } = entry as Record<string, unknown>;
    const size = sizes.get(image_id as number);
    if (!size) return broken(`image_id ${JSON.stringify(image_id)} is not an image of the annotations`);
    if (!known.has(category_id as number)) {
      return broken(`category_id ${JSON.stringify(category_id)} is not a category of the annotations`);
    }
    if (!Number.isFinite(score)) return broken('its score is not a number');
    // An empty list stands for no mask in what some programs write of boxes alone.
    const hasMask = segmentation !== undefined && !(Array.isArray(segmentation) && segmentation.length === 0);
    const mask = hasMask ? maskOf(segmentation, size, broken) : undefined;
    if (by === 'mask' && !mask) return broken('it has no segmentation, and masks are to be compared');
    const box = bbox === undefined && mask ? maskBox(mask) : bbox;
    if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite) || box[2] < 0 || box[3] < 0) {
      return broken('its bbox is not x, y, width, height');
    }
    return {
      image: image_id as number,
      category: category_id as number,
      score: score as number,
      box: box as unknown as Detection['box'],
      mask,
    };
  });
}

function maskOf(
  segmentation: unknown,
  { height, width }: { height: number; width: number },
  broken: (message: string) => never,
): RunLengths {
  const { size, counts } = (segmentation ?? {}) as { size?: unknown; counts?: unknown };
  if (!Array.isArray(size) || size[0] !== height || size[1] !== width) {
    return broken(`its segmentation is not run lengths of [${height}, ${width}] (height, width)`);
  }
  if (typeof counts !== 'string') return broken('the counts of its segmentation are not a compressed string');
  let runs: Uint32Array;
  try {
    runs = expandCounts(counts);
  } catch (error) {
    return broken(`its segmentation cannot be read: ${(error as Error).message}`);
  }
  const pixels = runs.reduce((sum, run) => sum + run, 0);
  if (pixels !== width * height) {
    return broken(`its segmentation has ${pixels} pixels, the image ${width * height}`);
  }
  return { height, width, counts: runs };
}
