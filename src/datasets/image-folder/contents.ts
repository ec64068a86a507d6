/** One digest for the files of a split, so that a run knows whether its images are still those that it began with. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { eachOf } from '../../process/each-of.js';
import { makeFolders, placeFile } from '../../storage/files.js';
import { fileError } from '../../storage/system-errors.js';
import type { ImageList } from './list.js';

// Every file's bytes are read up to so many files; beyond, those of as many, evenly spread, and the sizes of all.
const most = 20_000;
const sideBySide = 16;

/**
 * Names, sizes and contents of the files. Noted in the cache by names, sizes and times: unchanged files are not read again.
 *
 * @returns one entry, whose key says what the digest is of
 * @throws {UserError} for a file that cannot be read
 */
export async function contentsOf(
  split: string,
  { root, paths }: ImageList,
  cache: string,
): Promise<Record<string, string>> {
  const read = paths.length <= most ? 'contents' : `sizes, contents of ${most}`;
  const sizes = new Array<string>(paths.length);
  const states = new Array<string>(paths.length);
  await eachOf(paths.length, sideBySide, async (index) => {
    // A link to nowhere is judged when it is decoded.
    const found = await stat(join(root, paths[index])).catch(() => undefined);
    sizes[index] = `${paths[index]}\n${found?.size}\n`;
    states[index] = `${sizes[index]}${found?.mtimeMs} ${found?.ctimeMs} ${found?.ino}\n`;
  });
  const state = createHash('sha256').update(`${root}\n${read}\n`);
  for (const line of states) state.update(line);
  const note = join(cache, 'contents', state.digest('hex'));
  const key = `${split} (${read})`;
  const noted = await readFile(note, 'utf8').catch(() => '');
  if (/^[0-9a-f]{64}$/.test(noted)) return { [key]: noted };
  const digest = await digestOf(root, paths, sizes);
  await keep(note, digest);
  return { [key]: digest };
}

async function digestOf(root: string, paths: readonly string[], sizes: readonly string[]): Promise<string> {
  const count = Math.min(paths.length, most);
  const contents = new Array<Buffer>(count);
  await eachOf(count, 4, async (index) => {
    const path = join(root, paths[Math.floor((index * paths.length) / count)]);
    contents[index] = createHash('sha256')
      .update(await bytesOf(path))
      .digest();
  });
  const hash = createHash('sha256');
  for (const line of sizes) hash.update(line);
  for (const content of contents) hash.update(content);
  return hash.digest('hex');
}

// Decoding refuses what is larger, and what is no file: to open a named pipe would wait for its writer.
const largest = 64 * 2 ** 20;

async function bytesOf(path: string): Promise<Uint8Array> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || found.size > largest) return new Uint8Array();
  return readFile(path).catch((error) => {
    throw fileError(error, 'cannot be read', path, { exitCode: 2 });
  });
}

/** Without it the next run reads them again, no more. */
async function keep(note: string, digest: string): Promise<void> {
  try {
    makeFolders(join(note, '..'));
    await placeFile(note, digest);
  } catch {}
}
