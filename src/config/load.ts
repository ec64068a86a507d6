import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { didYouMean, UserError } from '../errors.js';
import { fileError } from '../storage/system-errors.js';
import { check } from './check.js';
import { override } from './overrides.js';
import { type Config, configSchema } from './schema.js';
import type { Source } from './source.js';
import { remember } from './source-positions.js';
import { settleModule } from './task-module.js';
import { maxBytes, readYaml } from './yaml.js';

/**
 * Reads a configuration from text.
 *
 * @param options.file what errors call the text, and by its base name the run if it has no name of its own
 * @param options.overrides `path=value` assignments, see `override`
 * @throws {UserError} with the place of what is wrong, the valid values, and the likely one
 */
export function parseConfig(text: string, options: { file: string; overrides?: readonly string[] }): Config {
  return configOf(readYaml(text, options), options);
}

function configOf(
  source: Source,
  { file, overrides = [] }: { file: string; overrides?: readonly string[] },
): Config {
  if (source.has(['axes'])) {
    throw new UserError('this is an experiment, a table of configurations', {
      place: file,
      fix: `run it with gnbench sweep ${file}`,
    });
  }
  const changed = override(source, overrides);
  const { name = nameFrom(file), ...rest } = check(configSchema, changed);
  const task = rest.task && settleModule(rest.task, file, changed.valueAt(['task', 'module']));
  return remember({ name, ...rest, ...(task && { task }) }, changed);
}

/** The file's base name, as far as a run's folder may be called so. */
function nameFrom(file: string): string {
  const base = basename(file).replace(/\.(ya?ml)$/i, '');
  const name = base.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return name.slice(0, 100) || 'run';
}

/** Reads a configuration file. @throws {UserError} as `parseConfig`, and when it cannot be read */
export async function loadConfig(file: string, overrides: readonly string[] = []): Promise<Config> {
  return parseConfig(await readText(file, 'configs/*.yaml'), { file, overrides });
}

/**
 * The text of a YAML file of 1 MiB at most.
 *
 * @param examples where such files are, for the message when this one is not there
 * @throws {UserError} when it is not there, is not a regular file, cannot be read, is too large, or is not UTF-8
 */
export async function readText(file: string, examples: string): Promise<string> {
  return decode(await readBytes(file, examples), file);
}

/** @throws {UserError} when the bytes are more than 1 MiB, or no UTF-8 */
export function decode(bytes: Uint8Array, file: string): string {
  if (bytes.length > maxBytes) throw tooLarge(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError('is not text in UTF-8', { place: `${file}:${placeOfBrokenByte(bytes)}` });
  }
}

const tooLarge = (file: string) =>
  new UserError('is over 1 MiB, too large for a configuration', { place: `${file}:1:1` });

async function readBytes(file: string, examples: string): Promise<Buffer> {
  try {
    // Before opening: a pipe without a writer would be waited for.
    const found = await stat(file);
    if (found.isDirectory())
      throw new UserError('is a folder, not a file', { place: file, fix: `examples: ${examples}` });
    if (!found.isFile()) throw new UserError('is not a regular file', { place: file });
    if (found.size > maxBytes) throw tooLarge(file);
    return await readFile(file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw fileError(error, 'cannot be read', file, { exitCode: 2 });
    const near = await neighbour(file);
    throw new UserError(`no such file${near ? `; did you mean ${near}?` : ''}`, {
      place: file,
      fix: `examples: ${examples}`,
    });
  }
}

/** The file or folder beside it that was likely meant. */
export async function neighbour(file: string): Promise<string | undefined> {
  const names = await readdir(dirname(file)).catch(() => []);
  const near = didYouMean(basename(file), names) ?? didYouMean(`${basename(file)}.yaml`, names);
  return near && join(dirname(file), near);
}

function placeOfBrokenByte(bytes: Uint8Array): string {
  // Decoding a part ends where the whole would, and a part that ends within a character is not an error when streamed.
  let [sound, broken] = [0, bytes.length];
  while (broken - sound > 1) {
    const middle = (sound + broken) >> 1;
    if (decodes(bytes.subarray(0, middle))) sound = middle;
    else broken = middle;
  }
  const before = new TextDecoder().decode(bytes.subarray(0, sound), { stream: true });
  const lines = before.split('\n');
  return `${lines.length}:${lines.at(-1)!.length + 1}`;
}

function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
