import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { printConfig } from '../config/print.js';
import { UserError } from '../errors.js';
import { ofReport } from '../runs/run-folder.js';
import { endedSummary } from '../runs/summary.js';
import { makeFolders, replaceFile } from '../storage/files.js';
import { fileError } from '../storage/system-errors.js';
import type { Cell } from './cells.js';
import { type Experiment, loadExperiment, type Run, snapshotName } from './experiment.js';

/** The config that a cell's runs are started with, but for the seed. */
export const cellConfigFile = (experiment: Experiment, cell: Cell) =>
  join(experiment.folder, cell.key, 'config.yaml');

/**
 * Writes down what is about to run, so that a later edit of the experiment or its base changes nothing that is under
 * way: the experiment with its base and overrides in it, and the config of each cell with runs to do.
 *
 * @throws UserError when the folder is another experiment's, or can't be written
 */
export async function snapshot(experiment: Experiment): Promise<void> {
  const { folder } = experiment;
  try {
    makeFolders(folder);
    refuseForeign(experiment);
    const begins = experiment.cells.filter((cell) => !isFinished(experiment, cell));
    const differs = begins.length > 0 || !(await holdsRunsOf(experiment));
    if (differs) write(join(folder, snapshotName), experiment.snapshot);
    for (const cell of begins) {
      makeFolders(join(folder, cell.key));
      const file = cellConfigFile(experiment, cell);
      write(file, printConfig(cell.config, file));
    }
  } catch (error) {
    throw fileError(error, 'could not write to the results folder', folder, { exitCode: 2 });
  }
}

/**
 * True when the snapshot there names the same runs; the last sweep may have been a trial of the experiment with
 * `--set`.
 */
async function holdsRunsOf({ folder, runs }: Experiment): Promise<boolean> {
  try {
    const there = await loadExperiment(join(folder, snapshotName));
    const names = (of: readonly Run[]) => of.map(({ cell, seed }) => `${cell.key}/${seed}`).sort();
    return names(there.runs).join() === names(runs).join();
  } catch {
    return false;
  }
}

/** True when no run of a cell will start again: its configuration in the snapshot stays as it is. */
function isFinished({ seeds, runFolder }: Experiment, cell: Cell): boolean {
  return seeds.every((seed) => endedSummary(runFolder(cell, seed)) !== undefined);
}

/** Two sweeps that start together write the same bytes; what is there already is left alone. */
function write(file: string, text: string): void {
  if (readIfThere(file) !== text) replaceFile(file, text);
}

/**
 * @throws UserError when the folder holds something other than this experiment's results. One that was edited is still
 *   the same; one of the same name that shares neither title nor any cell with it is not.
 */
export function refuseForeign({ folder, name, title, cells }: Experiment): void {
  const file = join(folder, snapshotName);
  const text = readIfThere(file);
  const present = entries(folder).filter((entry) => !entry.startsWith('.') && !ofReport.test(entry));
  const fix = 'choose another folder with --out, or move this one away';
  if (text === undefined) {
    if (present.length === 0) return;
    throw new UserError(
      `the folder holds no experiment, and is not empty (${present.slice(0, 3).join(', ')})`,
      {
        place: folder,
        fix,
      },
    );
  }
  const found = headOf(text);
  const folders = present.filter((entry) => /-[0-9a-f]{10}$/.test(entry));
  const shared = folders.length === 0 || cells.some(({ key }) => folders.includes(key));
  if (found?.name === name && (found.title === title || shared)) return;
  const whose = found ? `experiment "${found.name}": ${found.title}` : 'something that is not an experiment';
  throw new UserError(`the results there are those of ${whose}`, { place: file, fix });
}

function headOf(text: string): { name: string; title: string } | undefined {
  try {
    const { name, title } = parse(text, { maxAliasCount: 100 });
    return { name: String(name).slice(0, 80), title: String(title).slice(0, 200) };
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
