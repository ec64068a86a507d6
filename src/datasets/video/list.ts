/** The clips of a split: `root`/class/clip, a file or a folder of frames; or the files that a list of Kinetics names. */
import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { byText, listUpTo } from '../../terminal/words.js';
import { isFolder, searchedFolders } from '../download/locate.js';
import { type ImageList, refuseTwins, sameClasses } from '../image-folder/list.js';
import type { VideoFolderConfig } from '../schema.js';
import { kineticsList } from './kinetics-list.js';

/** As for images; nothing else than clips and folders is looked at. */
export type ClipList = Omit<ImageList, 'passedOver'>;

const clipFile = /\.(mp4|avi|mkv|webm|mov)$/i;
const frameFile = /\.(jpe?g|png)$/i;

/** Both splits. @throws {UserError} for folders that are not there, hold no clips, or differ in their classes */
export function listSplits(
  config: Pick<VideoFolderConfig, 'train' | 'val'>,
  dataFolder?: string,
): { train: ClipList; val: ClipList } {
  const train = listClips(config.train, 'data.train', dataFolder);
  const val = listClips(config.val, 'data.val', dataFolder);
  sameClasses(train, val);
  return { train, val };
}

function listClips(folder: string, key: string, dataFolder?: string): ClipList {
  const root = find(folder, key, dataFolder);
  if (isList(root)) return listed(root, key);
  const fail = (message: string, fix: string): never => {
    throw new UserError(message, { place: `${key}: ${root}`, fix });
  };
  // Compared as composed Unicode (NFC), as the folders of images are.
  const named = namesIn(root, key)
    .filter((folder) => isFolder(join(root, folder)))
    .map((folder) => ({ folder, name: folder.normalize() }))
    .sort((a, b) => byText(a.name, b.name));
  const classes = named.map(({ name }) => name);
  refuseTwins(classes, `${key}: ${root}`);
  if (classes.length === 0)
    fail('holds no class folders', 'it needs a folder for each class, its clips in it');
  const clips = named.map(({ folder: name }) =>
    namesIn(join(root, name), key).filter((clip) => clipFile.test(clip) || isFolder(join(root, name, clip))),
  );
  const empty = classes.filter((_, label) => clips[label].length === 0);
  if (empty.length > 0) {
    fail(
      `${empty.length === 1 ? 'a class has' : 'classes have'} no clip: ${listUpTo(empty, 10)}`,
      'put .mp4, .avi, .mkv, .webm or .mov files or folders of frames there, or remove the folder',
    );
  }
  const paths = clips.flatMap((names, label) => names.map((name) => join(named[label].folder, name)));
  const labels = clips.flatMap((names, label) => names.map(() => label));
  return { root, classes, paths, labels: Int32Array.from(labels) };
}

const isList = (path: string) => /\.csv$/i.test(path) && !isFolder(path);

/** Said even when there is to be no progress: clips that are left out are a matter of the result. */
function listed(file: string, key: string): ClipList {
  const { gone, ...list } = kineticsList(file, key, (name) => clipFile.test(name));
  if (gone > 0 && !told.has(file)) {
    process.stderr.write(`warning: ${file}: ${gone} of its clips have no file; left out\n`);
  }
  told.add(file);
  return list;
}

/** A sweep lists the same files for each of its runs. */
const told = new Set<string>();

/** The frames in a folder, in the order of their names, in which a run of digits counts as a number. */
export function listFrames(folder: string): string[] {
  const byNumber = new Intl.Collator('en', { numeric: true });
  return namesIn(folder, 'data')
    .filter((name) => frameFile.test(name))
    .sort(byNumber.compare)
    .map((name) => join(folder, name));
}

function find(folder: string, key: string, dataFolder?: string): string {
  const places = searchedFolders(dataFolder).map((place) => join(place, folder));
  const candidates = isAbsolute(folder) ? [folder] : [...places, folder];
  const found = candidates.find((path) => isFolder(path) || (isList(path) && existsSync(path)));
  if (found !== undefined) return resolve(found);
  throw new UserError(`no such folder: ${candidates.join(', ')}`, {
    place: key,
    fix: `set ${key} to the folder of classes, absolute or relative to --data or $GNBENCH_DATA`,
  });
}

/** By code units: the order of labels must not depend on the language of the machine. */
function namesIn(folder: string, key: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UserError(`cannot be read (${code})`, { place: `${key}: ${folder}`, cause });
  }
}
