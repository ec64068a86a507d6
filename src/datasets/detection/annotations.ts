/** The annotation files and image folders that a configuration names. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { type Instances, parseInstances } from '../../coco/instances.js';
import { UserError } from '../../errors.js';
import { listUpTo } from '../../terminal/words.js';
import { chosenClasses } from '../classes.js';
import { isFolder, searchedFolders } from '../download/locate.js';
import type { CocoConfig } from '../schema.js';

/** The annotated images of one split. */
export interface AnnotatedImages {
  /** The folder of the images, absolute. */
  root: string;
  /** The annotation file, absolute. */
  file: string;
  sha256: string;
  instances: Instances;
  /** Categories in the file, whichever of them are chosen. */
  categories: number;
}

type Split = 'train' | 'val';

const known = new Map<string, AnnotatedImages>();

/**
 * Reads a split's annotations. Remembered: a sweep plans many runs on the same images.
 *
 * @throws {UserError} for a file or a folder that is not there, and for annotations that are not sound
 */
export function annotatedImages(config: CocoConfig, split: Split, dataFolder?: string): AnnotatedImages {
  const file = annotationFile(config, split, dataFolder);
  const root = find(config[split], `data.${split}`, 'folder', dataFolder);
  const key = JSON.stringify([file, root, statSync(file).mtimeMs, config.onBroken, config.classes]);
  const before = known.get(key);
  if (before) return before;
  const text = readFileSync(file, 'utf8');
  const sha256 = createHash('sha256').update(text).digest('hex');
  const all = parseInstances(text, file, config.onBroken);
  const instances = ofClasses(all, config.classes);
  if (instances.images.length === 0) {
    throw new UserError('there is no image in it', { place: file, fix: `set data.${split}Annotations` });
  }
  const found = { root, file, sha256, instances, categories: all.categories.length };
  known.set(key, found);
  return found;
}

const annotationFile = (config: CocoConfig, split: Split, dataFolder?: string) => {
  const key = `${split}Annotations` as const;
  return find(config[key], `data.${key}`, 'file', dataFolder);
};

/** Only the categories that `data.classes` names, in its order, and their objects. */
export function ofClasses(instances: Instances, classes: CocoConfig['classes']): Instances {
  if (!classes) return instances;
  const { categories, objects } = instances;
  const names = categories.map(({ name }) => name);
  const chosen = chosenClasses(classes, { count: names.length, names }).map((place) => categories[place]);
  const ids = new Set(chosen.map(({ id }) => id));
  return { ...instances, categories: chosen, objects: objects.filter(({ category }) => ids.has(category)) };
}

/** The images that have an object to learn from, crowds aside, by their ids. */
export const withObjects = ({ objects }: Instances): Set<number> =>
  new Set(objects.filter(({ crowd }) => !crowd).map(({ image }) => image));

/**
 * A label for each image, as there are none: −1 for one that is not trained on, as no object of the chosen classes is in it,
 * so that splits and subsets count without it.
 */
export function trainLabels({ emptyImages, classes }: CocoConfig, { instances }: AnnotatedImages): Int8Array {
  const kept = classes && emptyImages === 'drop' ? withObjects(instances) : undefined;
  return Int8Array.from(instances.images, ({ id }) => (kept && !kept.has(id) ? -1 : 0));
}

/** @throws {UserError} when the two splits do not have the same categories */
export function sameCategories(train: AnnotatedImages, val: AnnotatedImages): void {
  const named = ({ instances }: AnnotatedImages) =>
    instances.categories.map(({ id, name }) => `${id} ${name}`);
  const [first, second] = [named(train), named(val)];
  const different = [
    ...first.filter((name) => !second.includes(name)),
    ...second.filter((name) => !first.includes(name)),
  ];
  if (different.length === 0 && first.join() === second.join()) return;
  throw new UserError(
    different.length > 0
      ? `training and validation have different categories: only one has ${listUpTo(different, 10)}`
      : 'training and validation have their categories in different orders',
    { place: `${train.file}, ${val.file}`, fix: 'give both the same list of categories' },
  );
}

function find(path: string, key: string, kind: 'file' | 'folder', dataFolder?: string): string {
  const candidates = isAbsolute(path)
    ? [path]
    : [...searchedFolders(dataFolder).map((place) => join(place, path)), path];
  const found = candidates.find(kind === 'folder' ? isFolder : isFile);
  if (found !== undefined) return resolve(found);
  throw new UserError(`no such ${kind}: ${candidates.join(', ')}`, {
    place: key,
    fix: `set ${key}, absolute or relative to --data or $GNBENCH_DATA`,
  });
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
