/** Plain folders of runs as a study, without an experiment. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { cellId } from '../config/identity.js';
import { parseConfig } from '../config/load.js';
import { UserError } from '../errors.js';
import { labelOf } from '../tasks/metric.js';
import { byText } from '../terminal/words.js';
import { groupBy } from './group-by.js';
import { readRun } from './read-run.js';
import { type Study, type StudyCell, studyCell } from './study.js';

/** The runs of a folder as cells: equal configurations apart from their seed. Throws UserError when there are none. */
export async function collectFolder(folder: string): Promise<Study> {
  const folders = findRuns(folder);
  if (folders.length === 0) {
    throw new UserError('holds no runs', {
      place: folder,
      fix: 'name an experiment, or a folder with config.yaml and curves.csv in it',
    });
  }
  const loaded = [];
  for (const path of folders) {
    const file = join(path, 'config.yaml');
    const config = parseConfig(await readFile(file, 'utf8'), { file });
    const run = await readRun(path, config);
    loaded.push({ config, run, id: cellId(config) });
  }
  const cells = [...groupBy(loaded, ({ id }) => id)].map(([id, members]) => {
    const runs = members.map(({ run }) => run).sort((a, b) => a.seed - b.seed);
    return studyCell(id, members[0].config, runs);
  });
  for (const cell of cells) dropRepeats(cell);
  const [{ metric }] = cells;
  const other = cells.find((cell) => cell.metric.name !== metric.name);
  if (other) {
    throw new UserError(
      `holds runs that are judged by ${labelOf(metric)}, and others by ${labelOf(other.metric)}`,
      {
        place: folder,
        fix: 'name a folder in it, or an experiment',
      },
    );
  }
  return {
    metric,
    name: basename(resolve(folder)),
    title: `Runs in ${basename(resolve(folder))}`,
    folder,
    cells,
    baseline: [],
    seeds: [...new Set(loaded.map(({ config }) => config.seed))].sort((a, b) => a - b),
    notPossible: [],
    strays: [],
  };
}

/** The folders at most four levels down that hold a run, in order. A sweep's cells have a config too, but no curves. */
export function findRuns(folder: string, depth = 4): string[] {
  const names = new Set(readdirSync(folder));
  if (names.has('config.yaml') && (names.has('curves.csv') || names.has('summary.json'))) return [folder];
  if (depth === 0) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map(({ name }) => name)
    .sort(byText)
    .flatMap((name) => findRuns(join(folder, name), depth - 1));
}

/** A configuration that was run twice with one seed counts once: twice the same number is no second sample. */
export function dropRepeats(cell: StudyCell): void {
  const counted = new Set<number>();
  for (const run of cell.runs) {
    if (run.value === undefined) continue;
    if (counted.has(run.seed)) {
      run.value = undefined;
      run.problem = 'a repetition of a run that counts already';
    }
    counted.add(run.seed);
  }
}
