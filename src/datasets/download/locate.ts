import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { cacheFolder } from '../../cache.js';
import { UserError } from '../../errors.js';

/** The folder that holds downloaded data sets, each in a folder of its own. */
export function dataCache(): string {
  return join(cacheFolder(), 'data');
}

/** The folder that holds decoded images. */
export function decodedCacheFolder(): string {
  return join(cacheFolder(), 'photos');
}

/**
 * The folder of a data set, `name` being its own: under `--data`, else $GNBENCH_DATA, else the cache; undefined when
 * it is in none. A folder that is itself called `name` will do as well.
 *
 * @throws {UserError} when `--data` names a folder that does not exist
 */
export function locate(name: string, dataFolder?: string): string | undefined {
  if (dataFolder !== undefined && !isFolder(dataFolder)) {
    throw new UserError(existsSync(dataFolder) ? 'not a folder' : 'no such folder', {
      place: `--data ${dataFolder}`,
      fix: `name the folder that holds ${name}`,
    });
  }
  return searchedFolders(dataFolder)
    .map((place) => (basename(resolve(place)) === name ? place : join(place, name)))
    .find(isFolder);
}

/** The folders that are searched, in their order. */
export function searchedFolders(dataFolder?: string): string[] {
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
