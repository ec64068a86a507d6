/** The data of a run against those that it, or another run of its experiment, began with. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { UserError } from '../errors.js';
import { listUpTo } from '../terminal/words.js';
import { readRunFacts } from './environment.js';

type Checksums = Readonly<Record<string, string>>;

/** The names of what differs; a digest that only one of them has (of another version) says nothing. */
export function differingData(one: Checksums, other: Checksums): string[] {
  return Object.keys(one).filter((name) => Object.hasOwn(other, name) && one[name] !== other[name]);
}

/**
 * @param environment the `environment.json` of the run that is resumed
 * @throws UserError when the data are no longer those that it began with, naming what differs
 */
export function requireDataOfStart(environment: string, found: Checksums): void {
  const differing = differingData(readRunFacts(environment)?.data ?? {}, found);
  if (differing.length === 0) return;
  throw new UserError(`the data are no longer those that the run began with: ${listUpTo(differing)}`, {
    place: environment,
    fix: 'put the former data back, or start the run over with --force',
  });
}

/**
 * Holds the data against those of another run in `folder`, two levels down, whose configuration asks for the same.
 *
 * @param own the run's own folder
 * @throws UserError when they differ, naming that run and what differs
 */
export function requireDataOfOthers(
  folder: string,
  own: string,
  data: Config['data'],
  found: Checksums,
): void {
  for (const path of runsIn(folder)) {
    if (resolve(path) === resolve(own)) continue;
    const others = readRunFacts(join(path, 'environment.json'))?.data;
    const differing = others ? differingData(others, found) : [];
    if (differing.length === 0 || !isDeepStrictEqual(dataOf(path), data)) continue;
    throw new UserError(
      `the data are not those that ${relative(folder, path)} of the same experiment was trained on: ${listUpTo(differing)}`,
      {
        place: own,
        fix: 'put the former data back, or move the results made with it away and start over',
      },
    );
  }
}

function runsIn(folder: string): string[] {
  const below = (path: string) =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(path, name));
  try {
    return below(folder)
      .flatMap(below)
      .filter((path) => existsSync(join(path, 'environment.json')));
  } catch {
    return [];
  }
}

function dataOf(run: string): Config['data'] | undefined {
  try {
    const file = join(run, 'config.yaml');
    return parseConfig(readFileSync(file, 'utf8'), { file }).data;
  } catch {
    return undefined;
  }
}
