import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { listUpTo } from '../../terminal/words.js';
import type { ClassList } from '../classes.js';
import { isFolder, searchedFolders } from '../download/locate.js';

/** The image files of one split, in ImageNet's layout: `root`/class/file. */
export interface ImageList {
  /** Absolute. */
  root: string;
  /** The classes' folder names, sorted; a label is a place in this list. */
  classes: string[];
  /** Relative to `root`, sorted by class, then by name. */
  paths: string[];
  labels: Int32Array;
}

const imageFile = /\.(jpe?g|png)$/i;

/**
 * Lists the image files below `folder`: each folder in it is a class, each .jpg, .jpeg or .png file directly in that
 * is one of its images. Other files are passed over.
 *
 * @param folder absolute, or relative to `--data`, `$GNBENCH_DATA`, the cache or the working folder, tried in this
 *   order
 * @param key the configuration's key that named it, for messages
 * @throws {UserError} when it does not exist, has no class, or a class has no image
 */
export function listImages(folder: string, key: string, dataFolder?: string): ImageList {
  const root = find(folder, key, dataFolder);
  const folders = entries(root, key).filter((entry) => isKind(root, entry, 'folder'));
  const classes = folders.map((entry) => entry.name).sort(byCode);
  if (classes.length === 0) {
    throw new UserError('holds no class folders', {
      place: `${key}: ${root}`,
      fix: "ImageNet's layout is expected: a folder for each class, its images in it",
    });
  }
  const paths: string[] = [];
  const labels: number[] = [];
  const empty: string[] = [];
  classes.forEach((name, label) => {
    const within = join(root, name);
    const files = entries(within, key)
      .filter((entry) => imageFile.test(entry.name) && isKind(within, entry, 'file'))
      .map((entry) => join(name, entry.name))
      .sort(byCode);
    if (files.length === 0) empty.push(name);
    for (const file of files) {
      paths.push(file);
      labels.push(label);
    }
  });
  if (empty.length > 0) {
    throw new UserError(
      `${empty.length === 1 ? 'a class has' : 'classes have'} no image: ${listUpTo(empty, 10)}`,
      {
        place: `${key}: ${root}`,
        fix: 'put .jpg, .jpeg or .png files there, or remove the folder',
      },
    );
  }
  return { root, classes, paths, labels: Int32Array.from(labels) };
}

/** The classes that the labels of a list stand for. */
export const classesOf = ({ classes }: ImageList): ClassList => ({ count: classes.length, names: classes });

/** @throws {UserError} when the two splits do not have the same classes, naming those that only one has */
export function sameClasses(train: ImageList, validation: ImageList): void {
  const only = (one: ImageList, other: ImageList) => {
    const known = new Set(other.classes);
    return one.classes.filter((name) => !known.has(name));
  };
  const differences = [
    ['data.train', only(train, validation)],
    ['data.val', only(validation, train)],
  ] as const;
  const found = differences.filter(([, names]) => names.length > 0);
  if (found.length === 0) return;
  throw new UserError(
    `training and validation have different classes: ${found.map(([key, names]) => `only in ${key}: ${listUpTo(names, 10)}`).join('; ')}`,
    { place: `${train.root}, ${validation.root}`, fix: 'give both the same class folders' },
  );
}

// By code units: the order of labels must not depend on the language of the machine.
const byCode = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function find(folder: string, key: string, dataFolder?: string): string {
  const candidates = isAbsolute(folder)
    ? [folder]
    : [...searchedFolders(dataFolder).map((place) => join(place, folder)), folder];
  const found = candidates.find(isFolder);
  if (found !== undefined) return resolve(found);
  throw new UserError(`no such folder: ${candidates.join(', ')}`, {
    place: key,
    fix: `set ${key} to the folder of classes (${basename(folder)}), absolute or relative to --data or $GNBENCH_DATA`,
  });
}

function entries(folder: string, key: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw unreadable(`${key}: ${folder}`, error);
  }
}

/** The file or folder that a link leads to; undefined when it is gone. */
function target(link: string): Stats | undefined {
  try {
    return statSync(link, { throwIfNoEntry: false });
  } catch (error) {
    throw unreadable(link, error);
  }
}

const unreadable = (place: string, cause: unknown) =>
  new UserError(`cannot be read (${(cause as NodeJS.ErrnoException).code})`, { place, cause });

/** Links are followed: data sets are often put together from links. */
function isKind(folder: string, entry: Dirent, kind: 'file' | 'folder'): boolean {
  const found = entry.isSymbolicLink() ? target(join(folder, entry.name)) : entry;
  return (kind === 'file' ? found?.isFile() : found?.isDirectory()) ?? false;
}
