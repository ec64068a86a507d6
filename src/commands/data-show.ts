import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { instanceMask, readInstances } from '../coco/instances.js';
import { drawObjects } from '../coco/picture.js';
import { imageLibrary } from '../datasets/image-folder/image-library.js';
import { UserError } from '../errors.js';
import { columns } from '../terminal/columns.js';

export interface DataShowFlags {
  annotations: string;
  images: string;
  image: string;
  out: string;
}

/** `gnbench data show`: draws an image with its boxes and masks, and lists them. @returns the exit code */
export async function dataShow(flags: DataShowFlags): Promise<number> {
  const { images, categories, objects } = await readInstances(flags.annotations);
  const image = images.find(({ id }) => String(id) === flags.image);
  if (!image) {
    throw new UserError(`there is no image ${flags.image}`, {
      place: flags.annotations,
      fix: `one of ${images.slice(0, 8).map(({ id }) => id)}${images.length > 8 ? ', …' : ''}`,
    });
  }
  const sharp = await imageLibrary();
  const path = join(flags.images, image.file);
  const decoded = await sharp(path)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch(async (cause) => {
      const missing = !(await stat(path).catch(() => undefined));
      throw new UserError(missing ? 'the image is not there' : 'the image cannot be decoded', {
        place: path,
        fix: 'name the folder of the images with --images',
        cause,
      });
    });
  const { width, height } = decoded.info;
  if (width !== image.width || height !== image.height) {
    throw new UserError(
      `the image has ${width}×${height} pixels, its annotations are of ${image.width}×${image.height}`,
      { place: path, fix: 'use the images that were annotated' },
    );
  }
  const here = objects.filter((object) => object.image === image.id);
  const drawn = here.map((object) => ({ ...object, mask: instanceMask(object, image) }));
  const pixels = new Uint8Array(decoded.data);
  drawObjects(
    pixels,
    height,
    width,
    drawn,
    categories.map(({ id }) => id),
  );
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(flags.out);
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  const rows = here.map(({ id, category, box, area, crowd }) => [
    String(id),
    `${names.get(category)}${crowd ? ' (crowd)' : ''}`,
    box.map((value) => value.toFixed(0)).join(' '),
    area.toFixed(0),
  ]);
  process.stdout.write(
    `${flags.out}: ${image.file}, ${width}×${height}, ${here.length} objects\n` +
      (rows.length > 0
        ? `${columns([['id', 'category', 'x y width height', 'area'], ...rows], [0, 3])}\n`
        : ''),
  );
  return 0;
}
