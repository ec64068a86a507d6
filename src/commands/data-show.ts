import { realpath, stat, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Sharp } from 'sharp';
import { instanceMask, readInstances, sayLeftOut } from '../coco/instances.js';
import { type Drawn, drawObjects } from '../coco/picture.js';
import { decodeMask } from '../coco/run-length.js';
import { loadConfig } from '../config/load.js';
import { canvasesOf } from '../datasets/detection/canvas.js';
import { imageLibrary } from '../datasets/image-folder/image-library.js';
import { loadDataset } from '../datasets/index.js';
import { UserError } from '../errors.js';
import { sharedArrays } from '../input/batch.js';
import { sourceOf } from '../input/dataset-source.js';
import { openSource } from '../input/example-source.js';
import { ObjectKind } from '../input/object-arrays.js';
import { fileError } from '../storage/system-errors.js';
import { columns } from '../terminal/columns.js';

interface ShowExampleOptions {
  config: string;
  set?: string[];
  data?: string;
  /** The example's number in the training split, from 0. */
  image: string;
  /** The epoch whose augmentation is shown. */
  epoch?: string;
  out: string;
}

export interface DataShowFlags extends Omit<ShowExampleOptions, 'config'> {
  annotations?: string;
  images?: string;
  config?: string;
}

/** `gnbench data show`: draws an image with its boxes and masks, and lists them. @returns the exit code */
export async function dataShow(flags: DataShowFlags): Promise<number> {
  const { annotations, images: folder, config } = flags;
  if (config !== undefined) return dataShowExample({ ...flags, config });
  if (annotations === undefined || folder === undefined) {
    throw new UserError('data show needs annotations and images, or a configuration', {
      place: annotations === undefined ? '--annotations' : '--images',
      fix: '--annotations FILE --images FOLDER, or --config FILE',
    });
  }
  const instances = await readInstances(annotations, 'skip');
  sayLeftOut(annotations, instances);
  const { images, categories, objects } = instances;
  const image = images.find(({ id }) => String(id) === flags.image);
  if (!image) {
    throw new UserError(`there is no image ${flags.image}`, {
      place: annotations,
      fix: `one of ${images.slice(0, 8).map(({ id }) => id)}${images.length > 8 ? ', …' : ''}`,
    });
  }
  const sharp = await imageLibrary();
  const path = join(folder, image.file);
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
  if ((await realpath(flags.out).catch(() => undefined)) === (await realpath(path))) {
    throw new UserError('the picture would replace the image itself', {
      place: '--out',
      fix: 'choose another name',
    });
  }
  await writePicture(sharp(pixels, { raw: { width, height, channels: 3 } }), flags.out);
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

/** Draws a training example as a step sees it: scaled and mirrored on its canvas. @returns the exit code */
async function dataShowExample(options: ShowExampleOptions): Promise<number> {
  const config = await loadConfig(options.config, options.set);
  const dataset = await loadDataset(config.data, { dataFolder: options.data });
  const { scenes, classNames } = dataset;
  if (!scenes) {
    throw new UserError(`the data set ${dataset.name} has no boxes and masks`, {
      place: options.config,
      fix: 'a configuration with data.name coco or shapes',
    });
  }
  const source = await openSource(sourceOf(dataset, 'train'));
  const example = wholeNumber('--image', options.image, 0, source.count - 1);
  const epoch = options.epoch === undefined ? undefined : wholeNumber('--epoch', options.epoch, 1, 1e6);
  const batch = sharedArrays(source.spec, 1);
  const augment = epoch === undefined ? undefined : { seed: config.seed, epoch };
  await source.write(batch, 0, example, { augment, view: 0 });
  const { height, width } = canvasesOf(scenes)[batch.canvas[0]];
  const pixels = new Uint8Array(batch.images as Uint8Array);
  const drawn: Drawn[] = [];
  for (let row = 0; row < scenes.mostObjects; row++) {
    if (!batch.valid[row]) continue;
    const [left, top, right, bottom] = batch.boxes.subarray(4 * row, 4 * row + 4);
    const counts = batch.runs.subarray(batch.start[row], batch.start[row + 1]);
    drawn.push({
      category: batch.classes[row],
      box: [left, top, right - left, bottom - top],
      mask: counts.length > 0 ? { height, width, counts: Uint32Array.from(counts) } : undefined,
      crowd: batch.kind[row] === ObjectKind.crowd,
    });
  }
  const categories = Array.from({ length: dataset.classes }, (_, index) => index + 1);
  drawObjects(pixels, height, width, drawn, categories);
  const sharp = await imageLibrary();
  await writePicture(sharp(pixels, { raw: { width, height, channels: 3 } }), options.out);
  const lines = drawn.map(({ category, box, mask, crowd }) => {
    const area = mask ? decodeMask(mask).reduce((sum, inside) => sum + inside, 0) : 0;
    const name = classNames?.[category - 1] ?? `class ${category}`;
    return `  ${name}${crowd ? ' (crowd)' : ''}: ${box.map((value) => value.toFixed(0)).join(' ')}, ${area} pixels\n`;
  });
  const [high, wide] = batch.size;
  process.stdout.write(
    `${options.out}: example ${example}, ${wide}×${high} on a canvas of ${width}×${height}, ${drawn.length} objects\n${lines.join('')}`,
  );
  return 0;
}

/** In the format that the file's name ends with. */
async function writePicture(picture: Sharp, file: string): Promise<void> {
  const formats = ['.png', '.jpg', '.jpeg', '.webp', '.tif', '.tiff', '.gif', '.avif'];
  if (!formats.includes(extname(file).toLowerCase())) {
    throw new UserError(`a picture cannot be written as ${JSON.stringify(basename(file))}`, {
      place: '--out',
      fix: `end the name with one of ${formats.join(', ')}`,
    });
  }
  await writeFile(file, await picture.toFormat(formatOf(file)).toBuffer()).catch((cause) => {
    throw fileError(cause, 'the picture cannot be written', file, { exitCode: 2 });
  });
}

const formatOf = (file: string) => extname(file).slice(1).toLowerCase() as 'png';

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UserError(`has to be a whole number from ${least} to ${most}, not ${text}`, { place: flag });
}
