import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { printConfig } from '../config/print.js';
import { UserError } from '../errors.js';
import { fileError, replaceFile } from '../training/file-system.js';
import type { Cell, Experiment } from './experiment.js';

/** The config that a cell's runs are started with, but for the seed. */
export const cellConfigFile = (experiment: Experiment, cell: Cell) =>
  join(experiment.folder, cell.key, 'config.yaml');

/**
 * Writes down what is about to run, so that a later edit of the experiment or its base changes nothing that is under
 * way: the experiment with its base and overrides in it, and each cell's config.
 *
 * @throws UserError when the folder is another experiment's, or can't be written
 */
export function snapshot(experiment: Experiment): void {
  const { folder } = experiment;
  try {
    mkdirSync(folder, { recursive: true });
    refuseForeign(experiment);
    write(join(folder, 'experiment.yaml'), experiment.snapshot);
    for (const cell of experiment.cells) {
      mkdirSync(join(folder, cell.key), { recursive: true });
      write(cellConfigFile(experiment, cell), printConfig(cell.config));
    }
  } catch (error) {
    throw fileError(error, 'could not write to the results folder', folder, 2);
  }
}

/** Two sweeps that start together write the same bytes; what is there already is left alone. */
function write(file: string, text: string): void {
  if (readIfThere(file) !== text) replaceFile(file, text);
}

/** @throws UserError when the folder holds something other than this experiment's results */
export function refuseForeign({ folder, name }: Experiment): void {
  const file = join(folder, 'experiment.yaml');
  const text = readIfThere(file);
  const fix = 'choose another folder with --out, or move this one away';
  if (text !== undefined) {
    const found = nameIn(text);
    if (found === name) return;
    throw new UserError(
      `the results there are those of ${found ? `experiment "${found}"` : 'something else'}`,
      {
        place: file,
        fix,
      },
    );
  }
  const present = entries(folder).filter((entry) => !entry.startsWith('.'));
  if (present.length > 0) {
    throw new UserError(
      `the folder is not empty and holds no experiment (${present.slice(0, 3).join(', ')})`,
      {
        place: folder,
        fix,
      },
    );
  }
}

function nameIn(text: string): string | undefined {
  try {
    const { name } = parse(text, { maxAliasCount: 100 });
    return typeof name === 'string' ? name.slice(0, 80) : undefined;
  } catch {
    return undefined;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
