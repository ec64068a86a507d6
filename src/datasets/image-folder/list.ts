import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { basename, extname, isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { fileError } from '../../storage/system-errors.js';
import { byText, listUpTo } from '../../terminal/words.js';
import type { ClassList } from '../classes.js';
import { isFolder, searchedFolders } from '../download/locate.js';
import { PassedOver } from './passed-over.js';

/** The image files of one split, in ImageNet's layout: `root`/class/file. */
export interface ImageList {
  /** Absolute. */
  root: string;
  /** The classes' folder names, sorted; a label is a place in this list. */
  classes: string[];
  /** Relative to `root`, sorted by class, then by name. */
  paths: string[];
  labels: Int32Array;
  /** Everything else that is there: by kind, how many of them, and one for an example. */
  passedOver: PassedOver;
}

type ClassFolders = Pick<ImageList, 'root' | 'classes'>;

const imageFile = /\.(jpe?g|png)$/i;

/**
 * Lists the image files below `folder`: each folder in it is a class, each .jpg, .jpeg or .png file directly in that
 * is one of its images. Everything else is passed over, and counted. Names are compared as composed Unicode (NFC): macOS
 * writes é as two characters, Linux as one.
 *
 * @param folder absolute, or relative to `--data`, `$GNBENCH_DATA`, the cache or the working folder, tried in this
 *   order
 * @param key the configuration's key that named it, for messages
 * @throws {UserError} when it does not exist, has no class, or a class has no image
 */
export function listImages(folder: string, key: string, dataFolder?: string): ImageList {
  const root = find(folder, key, dataFolder);
  const passedOver = new PassedOver();
  const folders = entries(root, key).filter((entry) => isClass(root, entry, passedOver));
  const named = folders
    .map(({ name }) => ({ folder: name, name: name.normalize() }))
    .sort((a, b) => byText(a.name, b.name));
  const classes = named.map(({ name }) => name);
  refuseTwins(classes, `${key}: ${root}`);
  if (classes.length === 0) {
    throw new UserError('holds no class folders', {
      place: `${key}: ${root}`,
      fix: "ImageNet's layout is expected: a folder for each class, its images in it",
    });
  }
  const paths: string[] = [];
  const labels: number[] = [];
  const empty: string[] = [];
  named.forEach(({ name, folder }, label) => {
    const files = entries(join(root, folder), key)
      .filter((entry) => isImage(root, folder, entry, passedOver))
      .map((entry) => join(folder, entry.name))
      .sort(byText);
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
        fix: `put .jpg, .jpeg or .png files there, or remove the folder${passedOver.text && `; passed over: ${passedOver.text}`}`,
      },
    );
  }
  return { root, classes, paths, labels: Int32Array.from(labels), passedOver };
}

/** The classes that the labels of a list stand for. */
export const classesOf = ({ classes }: Pick<ImageList, 'classes'>): ClassList => ({
  count: classes.length,
  names: classes,
});

/** @throws {UserError} when the two splits do not have the same classes, naming those that only one has */
export function sameClasses(train: ClassFolders, validation: ClassFolders): void {
  const only = (one: ClassFolders, other: ClassFolders) => {
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
  fileError(cause, 'cannot be read', place, { exitCode: 2 });

/** The kind of a folder's entry; links are followed, since data sets are often put together from them. */
function kindOf(folder: string, entry: Dirent): 'file' | 'folder' | 'dangling link' | 'other' {
  const found = entry.isSymbolicLink() ? target(join(folder, entry.name)) : entry;
  if (!found) return 'dangling link';
  return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
}

/** Hidden, as what an editor or a file manager leaves; and the twin that a zip of macOS has of each file. */
const isHidden = (name: string) => name.startsWith('.') || name === '__MACOSX';

function isClass(root: string, entry: Dirent, passedOver: PassedOver): boolean {
  const kind = kindOf(root, entry);
  const { name } = entry;
  if (isHidden(name)) passedOver.add(kind === 'folder' ? 'hidden folder' : 'hidden file', name);
  else if (kind === 'dangling link') passedOver.add('link to nowhere', name);
  else if (kind !== 'folder')
    passedOver.add(imageFile.test(name) ? 'image beside the class folders' : suffixKind(name), name);
  else return true;
  return false;
}

/** A link to nowhere with an image's name is an image: a broken one. */
function isImage(root: string, folder: string, entry: Dirent, passedOver: PassedOver): boolean {
  const kind = kindOf(join(root, folder), entry);
  const path = join(folder, entry.name);
  if (isHidden(entry.name)) passedOver.add(kind === 'folder' ? 'hidden folder' : 'hidden file', path);
  else if (kind === 'folder') countDeeper(root, path, passedOver);
  else if (!imageFile.test(entry.name)) passedOver.add(suffixKind(entry.name), path);
  else if (kind === 'other') passedOver.add('device or pipe', path);
  else return true;
  return false;
}

const suffixKind = (name: string) => `${extname(name).toLowerCase() || 'nameless'} file`;

/** Counts the images in a folder within a class, which belong to no class; links are not followed. */
function countDeeper(root: string, folder: string, passedOver: PassedOver): void {
  for (const entry of entries(join(root, folder), root)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) countDeeper(root, path, passedOver);
    else if (imageFile.test(entry.name) && !isHidden(entry.name))
      passedOver.add('image in a folder within a class', path);
  }
}

/** @throws {UserError} for two neighbours of one name */
export function refuseTwins(classes: readonly string[], place: string): void {
  const twin = classes.find((name, index) => name === classes[index - 1]);
  if (twin === undefined) return;
  throw new UserError(
    `two class folders are called ${JSON.stringify(twin)}, in different Unicode characters`,
    {
      place,
      fix: 'put their images into one folder',
    },
  );
}
