/** The positions at which a configuration's keys were written, for errors that are found long after it was read. */
import { UserError } from '../errors.js';
import type { Config } from './schema.js';
import type { Source } from './source.js';

const sources = new WeakMap<Config, Source>();

/** Notes where a configuration came from. @returns the configuration */
export function remember(config: Config, source: Source): Config {
  sources.set(config, source);
  return config;
}

/**
 * `file:line:column` of a key's value, `--set path` where that is where it came from, or of what would hold the key
 * if nobody wrote it; the key's path for configurations that were not read from anywhere.
 *
 * @param path `batch.size`
 */
export function placeOf(config: Config, path: string): string {
  return sources.get(config)?.valueAt(path.split('.')) ?? path;
}

/**
 * Does some work; an error that names a key's path as its place gets the place where that key was written.
 *
 * @throws what the work throws
 */
export async function withPlaces<Result>(
  config: Config,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError) || !isKeyPath(config, error.place)) throw error;
    const { place: key, fix, exitCode } = error;
    throw new UserError(`${key}: ${error.message}`, {
      place: placeOf(config, key),
      fix,
      exitCode,
      cause: error,
    });
  }
}

const isKeyPath = (config: Config, place: string | undefined): place is string =>
  place !== undefined &&
  /^[a-zA-Z]+(\.[a-zA-Z]+)*$/.test(place) &&
  Object.hasOwn(config, place.split('.')[0]);
