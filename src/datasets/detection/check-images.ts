/** Annotated images are looked at before anything starts: each has to be there, sound, and of the annotated size. */
import { join } from 'node:path';
import { type Instances, ofImages } from '../../coco/instances.js';
import { UserError } from '../../errors.js';
import { isSystemError } from '../../storage/system-errors.js';
import { counted } from '../../terminal/words.js';
import { type CheckOptions, findBroken, isFew } from '../image-folder/check.js';
import { DecodedCache } from '../image-folder/decoded-cache.js';
import { imageLibrary } from '../image-folder/image-library.js';
import type { AnnotatedImages } from './annotations.js';

const sharp = await imageLibrary();

/**
 * The split without the images that cannot be used, each of which is reported on stderr. Up to 20,000 images are
 * decoded once; of more, the headers are read.
 *
 * @throws {UserError} with the file, the image and its annotations, unless they may be skipped
 */
export async function usableImages(
  { root, instances }: Pick<AnnotatedImages, 'root' | 'instances'>,
  options: Omit<CheckOptions, 'onlyWhenFew'> & { always: boolean },
): Promise<Instances> {
  const { images, objects } = instances;
  const cache = await DecodedCache.open(options.cache, options.cacheBytes);
  const decode = options.always || isFew(images.length);
  const broken = await findBroken(
    { root, paths: images.map(({ file }) => file) },
    {
      ...options,
      kind: `of annotated sizes ${images.map(({ width, height }) => `${width}×${height}`).join()} ${decode}`,
      async problemOf(path, index) {
        const { width, height } = images[index];
        const found = await sidesOf(path, decode ? cache : undefined);
        if (typeof found === 'string') return found;
        if (found.width === width && found.height === height) return undefined;
        return `has ${found.width}×${found.height} pixels, and its annotations are of ${width}×${height}`;
      },
    },
  );
  const entries = images.filter(({ file }) => Object.hasOwn(broken, file));
  if (entries.length === 0) return instances;
  const sentence = ({ id, file }: (typeof images)[number]) => {
    const ids = objects.filter(({ image }) => image === id).map((object) => object.id);
    const annotations =
      ids.length === 0
        ? 'no annotation'
        : `annotation${ids.length > 1 ? 's' : ''} ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}`;
    return `image ${id} (${annotations}): the file ${broken[file]}`;
  };
  if (options.onBroken === 'fail' || entries.length === images.length) {
    const more = entries.length > 1 ? `; and ${entries.length - 1} more images` : '';
    throw new UserError(`${sentence(entries[0])}${more}`, {
      place: join(root, entries[0].file),
      fix: 'use the images that were annotated, or leave such ones out with data.onBroken: skip',
    });
  }
  process.stderr.write(`warning: ${counted(entries.length, 'image')} of ${images.length} left out\n`);
  for (const entry of entries)
    process.stderr.write(`warning: ${join(root, entry.file)}: ${sentence(entry)}\n`);
  const left = new Set(entries.map(({ id }) => id));
  return ofImages(
    instances,
    images.filter(({ id }) => !left.has(id)),
  );
}

/** The sides of an image; a sentence's rest where it has none. */
async function sidesOf(
  path: string,
  cache: DecodedCache | undefined,
): Promise<{ width: number; height: number } | string> {
  try {
    if (cache) return await cache.read(path);
    const { width, height } = await sharp(path).metadata();
    return { width, height };
  } catch (error) {
    const { cause } = error as UserError;
    if (!isSystemError(cause)) return `cannot be used: ${(error as Error).message}`;
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 'is not there';
    throw error;
  }
}
