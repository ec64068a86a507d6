/** Data sets of images with boxes and masks: COCO's form, and drawn scenes. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type Instances, ofImages, sayLeftOut } from '../../coco/instances.js';
import { UserError } from '../../errors.js';
import { counted, listUpTo } from '../../terminal/words.js';
import type { Dataset, Split } from '../dataset.js';
import { decodedCacheFolder } from '../download/locate.js';
import { pixelStatistics } from '../pixel-statistics.js';
import { drawScene, sceneCategories } from '../scenes.js';
import type { CocoConfig, ShapesConfig } from '../schema.js';
import { chooseImages } from '../subset.js';
import {
  type AnnotatedImages,
  annotatedImages,
  ofClasses,
  sameCategories,
  trainLabels,
  withObjects,
} from './annotations.js';
import { canvasesOf } from './canvas.js';
import { usableImages } from './check-images.js';
import { objectTable } from './object-table.js';
import { scenesOf } from './scenes-of.js';

/**
 * Images with annotations in COCO's form.
 *
 * @throws {UserError} for files that are missing, and for annotations and images that cannot be used, unless they may
 *   be skipped
 */
export async function openCoco(
  config: CocoConfig,
  options: { dataFolder?: string; quiet?: boolean } = {},
): Promise<Dataset> {
  const train = annotatedImages(config, 'train', options.dataFolder);
  const val = annotatedImages(config, 'val', options.dataFolder);
  sameCategories(train, val);
  asExpected(config, train, val);
  const chosen = chooseImages(config, trainLabels(config, train), zeros(val.instances.images.length));
  const held = chosen.validation.from === 'train' ? train : val;
  const cacheBytes = config.decodedCache * 1e9;
  const checking = {
    onBroken: config.onBroken,
    cacheBytes,
    cache: decodedCacheFolder(),
    quiet: options.quiet,
  };
  const open = async (from: AnnotatedImages, indices: Uint32Array, isTraining: boolean): Promise<Split> => {
    const images = Array.from(indices, (index) => from.instances.images[index]);
    const selected = ofImages(from.instances, images);
    const isDropped = isTraining && config.emptyImages === 'drop';
    const wanted = { ...from, instances: isDropped ? withoutEmpty(selected, from.file) : selected };
    const instances = await usableImages(wanted, { ...checking, always: !isTraining });
    if (isTraining) sayTooMany(instances, config.mostObjects, from.file);
    return {
      ...splitOf(instances, isTraining),
      files: { root: from.root, paths: instances.images.map(({ file }) => file) },
    };
  };
  for (const each of new Set([train, val])) sayLeftOut(each.file, each.instances);
  const splits = {
    train: await open(train, chosen.train, true),
    validation: await open(held, chosen.validation.indices, false),
  };
  const [{ height, width }] = canvasesOf(config);
  return {
    name: config.name,
    classes: train.instances.categories.length,
    classNames: train.instances.categories.map(({ name }) => name),
    shape: [height, width, 3],
    ...pixelStatistics('coco'),
    ...splits,
    checksums: checksumsOf(train, val),
    official: false,
    note: `${basename(train.file)} and ${basename(val.file)} (${counted(splits.train.count, 'training image')}, ${counted(splits.validation.count, 'validation image')})`,
    decoding: { colourJitter: 0, lighting: 0, onBroken: config.onBroken, cacheBytes },
    scenes: config,
  };
}

/** Scenes that gnbench draws. */
export function openShapes(config: ShapesConfig): Dataset {
  const scenes = scenesOf(config);
  const [{ height, width }] = canvasesOf(scenes);
  const [train, test] = [zeros(config.trainImages), zeros(config.valImages)];
  const chosen = chooseImages(config, train, test);
  const splits = {
    train: drawn(config, 1, chosen.train, true),
    validation: drawn(config, chosen.validation.from === 'train' ? 1 : 2, chosen.validation.indices, false),
  };
  const sha256 = ({ images }: Split) => createHash('sha256').update(images).digest('hex');
  return {
    name: 'shapes',
    classes: splits.validation.truth!.categories.length,
    classNames: splits.validation.truth!.categories.map(({ name }) => name),
    shape: [height, width, 3],
    ...pixelStatistics('shapes'),
    ...splits,
    checksums: { train: sha256(splits.train), validation: sha256(splits.validation) },
    official: true,
    scenes,
  };
}

function drawn(config: ShapesConfig, part: number, indices: Uint32Array, isTraining: boolean): Split {
  const { side } = config;
  const images = new Uint8Array(new SharedArrayBuffer(indices.length * side * side * 3));
  const instances: Instances = {
    images: [],
    categories: sceneCategories.map((name, index) => ({ id: index + 1, name })),
    objects: [],
    skipped: [],
    withoutArea: [],
  };
  for (const [at, index] of indices.entries()) {
    const { pixels, objects } = drawScene(part, index, side);
    images.set(pixels, at * pixels.length);
    instances.images.push({ id: at + 1, file: `${part}/${index}`, width: side, height: side });
    for (const { mask, ...object } of objects) {
      const segmentation = { counts: mask.counts };
      const id = instances.objects.length + 1;
      instances.objects.push({ ...object, id, image: at + 1, crowd: false, segmentation });
    }
  }
  return { ...splitOf(ofClasses(instances, config.classes), isTraining), images };
}

/** By the files' names, told apart by their splits where they have one name. */
function checksumsOf(train: AnnotatedImages, val: AnnotatedImages): Dataset['checksums'] {
  const [first, second] = [train, val].map(({ file }) => basename(file));
  const isSame = first === second && train.file !== val.file;
  return {
    [isSame ? `train: ${first}` : first]: train.sha256,
    [isSame ? `val: ${second}` : second]: val.sha256,
  };
}

function splitOf(instances: Instances, isTraining: boolean): Split {
  const count = instances.images.length;
  return {
    count,
    labels: new Int32Array(new SharedArrayBuffer(count * 4)),
    images: new Uint8Array(new SharedArrayBuffer(0)),
    objects: objectTable(instances),
    ...(!isTraining && { truth: instances }),
  };
}

const zeros = (length: number) => new Uint8Array(length);

/** The images that have an object to learn from; says on stderr how many are left out. */
function withoutEmpty(instances: Instances, file: string): Instances {
  const filled = withObjects(instances);
  const images = instances.images.filter(({ id }) => filled.has(id));
  const empty = instances.images.length - images.length;
  if (empty === 0) return instances;
  if (images.length === 0) {
    throw new UserError('no training image has an object, crowds aside', {
      place: file,
      fix: 'set data.trainAnnotations, or data.classes',
    });
  }
  process.stderr.write(
    `warning: ${file}: ${counted(empty, 'training image')} of ${instances.images.length} left out, as no object is in them; data.emptyImages: keep learns from them as background\n`,
  );
  return ofImages(instances, images);
}

/** Says which images have more objects than a step learns from. */
function sayTooMany({ images, objects }: Instances, most: number, file: string): void {
  const counts = new Map<number, number>();
  for (const { image } of objects) counts.set(image, (counts.get(image) ?? 0) + 1);
  const crowded = images.filter(({ id }) => (counts.get(id) ?? 0) > most);
  if (crowded.length === 0) return;
  const over = crowded.map(({ id, file: name }) => `image ${id} (${name}) ${counts.get(id)! - most}`);
  const sum = crowded.reduce((total, { id }) => total + counts.get(id)! - most, 0);
  process.stderr.write(
    `warning: ${file}: ${counted(crowded.length, 'image')} with more than data.mostObjects ${most} objects; left out in training, where they are background, are the last ${sum}: ${listUpTo(over, 5)}\n`,
  );
}

function asExpected({ expect }: CocoConfig, train: AnnotatedImages, val: AnnotatedImages): void {
  if (!expect) return;
  const found = {
    classes: train.categories,
    train: train.instances.images.length,
    val: val.instances.images.length,
  };
  for (const key of ['classes', 'train', 'val'] as const) {
    if (found[key] === expect[key]) continue;
    throw new UserError(`expected ${expect[key]}, found ${found[key]}`, {
      place: `data.expect.${key}: ${key === 'val' ? val.file : train.file}`,
      fix: 'complete the data set, or change data.expect',
    });
  }
}
