import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { annotatedImages } from '../datasets/detection/annotations.js';
import { usableImages } from '../datasets/detection/check-images.js';
import { decodedCacheFolder } from '../datasets/download/locate.js';
import { type CocoConfig, dataSchemas } from '../datasets/schema.js';
import { UserError } from '../errors.js';
import { counted } from '../terminal/words.js';

export interface VerifyCocoFlags {
  data?: string;
  annotations?: string;
  images?: string;
  json?: boolean;
}

/**
 * `gnbench data verify coco`: reads annotations, decodes their images, and says how many images, objects and classes
 * there are and of which sizes; of the files named, or of those that a configuration has by default.
 * @returns 0 when a run can use all of them, else 1
 */
export async function verifyCoco(flags: VerifyCocoFlags): Promise<number> {
  const { annotations, images, data, json } = flags;
  if ((annotations === undefined) !== (images === undefined)) {
    throw new UserError('annotations and their images are verified together', {
      place: annotations === undefined ? '--images' : '--annotations',
      fix: 'gnbench data verify coco --annotations FILE --images FOLDER',
    });
  }
  const schema = dataSchemas.find(({ shape }) => shape.name.safeParse('coco').success)!;
  for (const [place, path] of [
    ['--annotations', annotations],
    ['--images', images],
  ] as const) {
    if (path !== undefined && !existsSync(path))
      throw new UserError(`there is no ${path}`, { place, fix: 'check the path' });
  }
  // As everywhere on a command line, a path is of the working folder, not of that of the data sets.
  const named = annotations && images ? { val: resolve(images), valAnnotations: resolve(annotations) } : {};
  const config = schema.parse({ name: 'coco', onBroken: 'skip', ...named }) as CocoConfig;
  const splits = annotations ? (['val'] as const) : (['train', 'val'] as const);
  const found = [];
  for (const split of splits) found.push(await describe(config, split, data).catch(withoutConfig));
  const sound = found.every(({ unusableImages, skipped }) => unusableImages === 0 && skipped.length === 0);
  process.stdout.write(
    json
      ? `${JSON.stringify({ name: 'coco', sound, files: found }, null, 2)}\n`
      : found.map(asText).join('\n'),
  );
  return sound ? 0 : 1;
}

/** The fix that names keys of a configuration helps nobody who has none. */
function withoutConfig(error: unknown): never {
  if (!(error instanceof UserError) || !error.place?.startsWith('data.')) throw error;
  throw new UserError(error.message, {
    place: 'coco',
    fix: 'gnbench data verify coco --annotations FILE --images FOLDER, or name the folder that holds coco/ with --data',
    cause: error,
  });
}

async function describe(config: CocoConfig, split: 'train' | 'val', dataFolder?: string) {
  const listed = annotatedImages(config, split, dataFolder);
  const checking = { onBroken: 'skip', cacheBytes: 0, cache: decodedCacheFolder(), always: true } as const;
  const { images, objects } = await usableImages(listed, checking);
  const { categories, skipped, withoutArea } = listed.instances;
  const withObjects = new Set(objects.map(({ image }) => image));
  const present = new Set(objects.map(({ category }) => category));
  const range = (sides: number[]) => ({
    least: sides.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    most: sides.reduce((a, b) => Math.max(a, b), 0),
  });
  return {
    annotations: listed.file,
    images: images.length,
    unusableImages: listed.instances.images.length - images.length,
    imagesWithoutObjects: images.length - images.filter(({ id }) => withObjects.has(id)).length,
    width: range(images.map(({ width }) => width)),
    height: range(images.map(({ height }) => height)),
    objects: objects.length,
    crowds: objects.filter(({ crowd }) => crowd).length,
    classes: categories.length,
    classesWithoutObjects: categories.filter(({ id }) => !present.has(id)).map(({ name }) => name),
    skipped,
    withoutArea,
  };
}

function asText(found: Awaited<ReturnType<typeof describe>>): string {
  const { width, height, skipped, withoutArea, unusableImages, classesWithoutObjects } = found;
  const lines = [
    found.annotations,
    `  ${counted(found.images, 'image')}, ${width.least} to ${width.most} pixels wide and ${height.least} to ${height.most} high; ${found.imagesWithoutObjects} without objects`,
    `  ${counted(found.objects, 'object')}, ${found.crowds} of them crowds, in ${found.classes} classes, ${classesWithoutObjects.length} of which have none`,
    ...skipped.map((reason) => `  unusable: ${reason}`),
    ...withoutArea.map((reason) => `  left out by every run: ${reason}`),
    skipped.length + unusableImages === 0
      ? `  all ${withoutArea.length === 0 ? '' : 'others '}can be used`
      : `  ${counted(unusableImages, 'image')} and ${counted(skipped.length, 'annotation')} cannot be used`,
  ];
  return `${lines.join('\n')}\n`;
}
