import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { cacheFolder } from '../../cache.js';
import { UserError } from '../../errors.js';

/** The folder that holds downloaded data sets, each in a folder of its own. */
export function dataCache(): string {
  return join(cacheFolder(), 'data');
}

/** The folder that holds decoded images. It has another name whenever an image is decoded to other pixels than before. */
export function decodedCacheFolder(): string {
  return join(cacheFolder(), 'decoded');
}

/**
 * The folder of a data set, `name` being its own: under `--data`, else $GNBENCH_DATA, else the cache; undefined when
 * it is in none. A folder that is itself called `name` will do as well.
 *
 * @throws {UserError} when `--data` names a folder that does not exist
 */
export function locate(name: string, dataFolder?: string): string | undefined {
  return searchedFolders(dataFolder)
    .map((place) => (basename(resolve(place)) === name ? place : join(place, name)))
    .find(isFolder);
}

/** The folders that are searched, in their order. @throws {UserError} when `--data` names a folder that does not exist */
export function searchedFolders(dataFolder?: string): string[] {
  // Else a mistyped one would be passed over, and other data taken without a word.
  if (dataFolder !== undefined && !isFolder(dataFolder)) {
    throw new UserError(existsSync(dataFolder) ? 'not a folder' : 'no such folder', {
      place: `--data ${dataFolder}`,
      fix: 'name the folder that holds the data sets',
    });
  }
  const environment = process.env.GNBENCH_DATA;
  return [dataFolder, environment, dataCache()].filter(
    (place) => place !== undefined && place !== '',
  ) as string[];
}

/** False also for what cannot be looked at: a path through a file, or through a folder that is closed to us. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
