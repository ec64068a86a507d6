import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { eachOf } from '../../process/each-of.js';
import { makeFolders, placeFile } from '../../storage/files.js';
import { isSystemError } from '../../storage/system-errors.js';
import { startProgress } from '../../terminal/progress.js';
import { DecodedCache } from './decoded-cache.js';
import type { ImageList } from './list.js';

/** Decoding so many takes a minute at most; beyond that training images are found broken when their turn comes. */
export const isFew = (count: number): boolean => count <= 20_000;
const sideBySide = 4;

export interface CheckOptions {
  onBroken: 'fail' | 'skip';
  cacheBytes: number;
  /** The folder of decoded image files; what has been checked is noted there too. */
  cache: string;
  quiet?: boolean;
  /** Leave the images unchecked when they are more than 20,000. */
  onlyWhenFew: boolean;
}

/**
 * Decodes every image once, so that a run knows before it starts how many there are; a later run of the same
 * unchanged files does not do it again.
 *
 * @returns the list without the broken ones, each of which is reported on stderr
 * @throws {UserError} naming the broken ones, unless they may be skipped; or one that cannot be read
 */
export async function soundImages(list: ImageList, options: CheckOptions): Promise<ImageList> {
  if (options.onlyWhenFew && !isFew(list.paths.length)) return list;
  const cache = await DecodedCache.open(options.cache, options.cacheBytes);
  const broken = await findBroken(list, {
    ...options,
    async problemOf(path) {
      try {
        await cache.read(path);
        return undefined;
      } catch (error) {
        if (!(error instanceof UserError) || isSystemError(error.cause)) throw error;
        return error.message;
      }
    },
  });
  const entries = Object.entries(broken);
  if (entries.length === 0) return list;
  if (options.onBroken === 'fail' || entries.length === list.paths.length) {
    const more = entries.length > 1 ? ` (and ${entries.length - 1} more)` : '';
    throw new UserError(`${entries[0][1]}${more}`, {
      place: join(list.root, entries[0][0]),
      fix: 'replace or remove it, or set data.onBroken to skip',
    });
  }
  for (const [path, reason] of entries) {
    process.stderr.write(`warning: ${join(list.root, path)}: ${reason}; skipped\n`);
  }
  const sound = list.paths.map((path) => !Object.hasOwn(broken, path));
  return {
    ...list,
    paths: list.paths.filter((_, index) => sound[index]),
    labels: list.labels.filter((_, index) => sound[index]),
  };
}

/** Path → what is wrong with it. */
type Broken = Record<string, string>;

/** Files of a folder, and what is looked for in them. */
interface Inspection extends Pick<CheckOptions, 'cache' | 'quiet'> {
  /** Says why a file cannot be used; undefined when it can. */
  problemOf(path: string, index: number): Promise<string | undefined>;
  /** Tells inspections of the same files apart that look for different things. */
  kind?: string;
}

/** Inspects every file once; not again as long as none of them changes. */
export async function findBroken(
  files: Pick<ImageList, 'root' | 'paths'>,
  inspection: Inspection,
): Promise<Broken> {
  const note = join(inspection.cache, 'checked', `${await stateOf(files, inspection.kind)}.json`);
  const broken = (await noted(note)) ?? (await inspectAll(files, inspection));
  await keep(note, broken);
  return broken;
}

async function inspectAll(
  { root, paths }: Pick<ImageList, 'root' | 'paths'>,
  { problemOf, quiet }: Inspection,
): Promise<Broken> {
  const broken: Broken = {};
  const total = paths.length;
  const progress = startProgress({ label: 'checking images', total, unit: 'images', quiet });
  let done = 0;
  try {
    await eachOf(total, sideBySide, async (index) => {
      const problem = await problemOf(join(root, paths[index]), index);
      if (problem !== undefined) broken[paths[index]] = problem;
      progress.update(++done);
    });
  } finally {
    progress.stop();
  }
  return broken;
}

/** Names, sizes and times of change of all files, as one hash. */
async function stateOf(list: Pick<ImageList, 'root' | 'paths'>, kind = ''): Promise<string> {
  const lines = new Array<string>(list.paths.length);
  await eachOf(list.paths.length, 16, async (index) => {
    const path = join(list.root, list.paths[index]);
    const found = await stat(path).catch(() => undefined);
    lines[index] = `${path}\n${found?.size}\n${found?.mtimeMs}\n${found?.ctimeMs}\n`;
  });
  return createHash('sha256')
    .update(lines.join('') + kind)
    .digest('hex');
}

async function noted(path: string): Promise<Broken | undefined> {
  try {
    const found: unknown = JSON.parse(await readFile(path, 'utf8'));
    const sound =
      typeof found === 'object' &&
      found !== null &&
      !Array.isArray(found) &&
      Object.values(found).every((reason) => typeof reason === 'string');
    return sound ? (found as Broken) : undefined;
  } catch {
    return undefined;
  }
}

/** Without it the next run decodes them again, no more. */
async function keep(path: string, broken: Broken): Promise<void> {
  try {
    makeFolders(join(path, '..'));
    await placeFile(path, JSON.stringify(broken));
  } catch {}
}
