import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { modulePathFrom, settleModule } from '../config/task-module.js';
import { didYouMean, UserError } from '../errors.js';
import { loadTask } from '../tasks/index.js';
import { metricNamed } from '../tasks/metric.js';
import { type Cell, type CellOptions, makeCells, readBase } from './cells.js';
import { isMapping, matches, type Point } from './grid.js';
import { pointLabel } from './label.js';
import { readExperimentFile } from './read.js';
import { type ExperimentFile, experimentName, type SlurmResources } from './schema.js';

/** The parts of a run that starting and following it take. */
export interface StartableRun {
  cell: Pick<Cell, 'key' | 'label'>;
  seed: number;
  folder: string;
}

export interface Run extends StartableRun {
  cell: Cell;
  /** Lower ones go first; infinite for those that no rule names. */
  stage: number;
}

export interface Experiment {
  name: string;
  title: string;
  reproduces?: { table?: number; figure?: number; metric: string };
  /** The name of the metric that is compared; the task's first without it. */
  metric?: string;
  /** The experiment whose cells these are to be compared with, by name. */
  baseline?: string;
  /** The file it was read from. */
  file: string;
  /** The folder of its results: `results/<name>` in the working folder, unless said otherwise. */
  folder: string;
  cells: Cell[];
  seeds: number[];
  /** Cells of the paper's table that this base cannot have. */
  notPossible: { axes: Point; label: string; why: string }[];
  slurm: SlurmResources;
  /** Every run in the order in which they are to start: by stage, then seed by seed, then as the cells are listed. */
  runs: Run[];
  /** The experiment as one file: its base inside, and the overrides that it was read with. */
  snapshot: string;
  runFolder(cell: Cell, seed: number): string;
}

/** The copy of its experiment that a results folder keeps. */
export const snapshotName = 'experiment.yaml';

/**
 * Reads an experiment and every cell in it.
 *
 * @param target an experiment's file, its name in `experiments/`, or its results folder or the `experiment.yaml` there,
 *   whose results are then meant
 * @param options.set `path=value` overrides for every cell, as for `gnbench run`
 * @param options.check whether every cell could run: its groups and steps against the model and the data's sizes
 * @param options.out where the experiment's folder is, instead of `results`
 * @throws UserError with file:line:column, and the cell and key where it is a cell that is wrong
 */
export async function loadExperiment(
  target: string,
  options: CellOptions & { out?: string } = {},
): Promise<Experiment> {
  const { set = [] } = options;
  const file = locate(target);
  const source = await readExperimentFile(file);
  const { content } = source;
  const isSnapshot = basename(file) === snapshotName;
  const name = content.name ?? nameFrom(file);
  const inPlace = isSnapshot && options.out === undefined;
  const folder = inPlace ? dirname(file) : join(options.out ?? 'results', name);
  const base = await readBase(source);
  const cells = await makeCells(source, base, options);
  if (options.check && content.baseline) baselineFile(content.baseline, file, options.out);
  if (options.check && content.metric !== undefined) {
    const { task } = await loadTask(cells[0].config);
    metricNamed(task.metrics, content.metric, source.place(['metric']));
  }
  const runFolder = (cell: Cell, seed: number) => join(folder, cell.key, String(seed));
  const { title, reproduces, metric, baseline, seeds, notPossible, slurm } = content;
  return {
    name,
    title,
    reproduces,
    metric,
    baseline,
    file,
    folder,
    cells,
    seeds,
    notPossible: notPossible.map(({ cell, why }) => ({ axes: cell, label: pointLabel(cell), why })),
    slurm,
    runs: orderRuns(content, cells, runFolder),
    snapshot: stringify({
      name,
      ...withoutEmpty(
        withModulesFrom(base.file, folder, {
          ...content,
          base: parse(base.text),
          set: asMapping(content.set, set),
        }),
      ),
    }),
    runFolder,
  };
}

/** @throws UserError when the file's name cannot be that of a folder of results */
function nameFrom(file: string): string {
  const name = basename(basename(file) === snapshotName ? dirname(file) : file).replace(/\.ya?ml$/i, '');
  if (experimentName.test(name)) return name;
  throw new UserError(
    `${JSON.stringify(name)} cannot be its name: that has lower-case letters, digits and hyphens`,
    {
      place: file,
      fix: 'rename the file, or give the experiment a name of its own: the key "name"',
    },
  );
}

/**
 * An experiment's baseline lies beside it, its results beside the experiment's results. Looked for before days of runs,
 * not only when their table is made.
 *
 * @throws UserError when there is none of the name
 */
export function baselineFile(name: string, file: string, out = 'results'): string {
  const places = [
    join(dirname(file), `${name}.yaml`),
    join(out, name, snapshotName),
    join('experiments', `${name}.yaml`),
  ];
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  const known = shippedExperiments(dirname(file));
  const near = didYouMean(name, known);
  throw new UserError(`the baseline ${name} is not an experiment${near ? `; did you mean ${near}?` : ''}`, {
    place: file,
    fix: `experiments: ${known.join(', ')}`,
  });
}

/** The names of the experiments in a folder. */
export function shippedExperiments(folder = 'experiments'): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.replace(/\.yaml$/, ''))
    .sort();
}

/** The file that a name or a folder stands for; what is neither is taken for a file. */
function locate(target: string): string {
  const snapshot = join(target, snapshotName);
  if (existsSync(snapshot)) return snapshot;
  const shipped = join('experiments', `${target}.yaml`);
  return !existsSync(target) && existsSync(shipped) ? shipped : target;
}

/** The same with the paths of tasks' modules relative to `folder`, and with the hashes of what they hold now. */
function withModulesFrom<Content extends object>(file: string, folder: string, content: Content): Content {
  const moved = (key: string, value: unknown): unknown => {
    if (key === 'task.module') return modulePathFrom(resolve(folder), resolve(dirname(file), String(value)));
    if (key === 'task' && isMapping(value) && typeof value.module === 'string') {
      const settled = settleModule(value as { module: string }, file, file);
      return { ...settled, module: modulePathFrom(resolve(folder), settled.module) };
    }
    if (Array.isArray(value)) return value.map((inner) => moved(key, inner));
    if (!isMapping(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, moved(name, inner)]));
  };
  return moved('', content) as Content;
}

/** Lists and mappings that are empty say nothing. */
const withoutEmpty = (content: object) =>
  Object.fromEntries(
    Object.entries(content).filter(
      ([key, value]) => key !== 'name' && !(typeof value === 'object' && Object.keys(value).length === 0),
    ),
  );

/** The file's keys with `path=value` overrides over them, in the order in which they hold; checked with the cells. */
function asMapping(before: Record<string, unknown>, set: readonly string[]): Record<string, unknown> {
  const all = new Map(Object.entries(before));
  for (const assignment of set) {
    const [, path, value] = /^([^=]*)=(.*)$/s.exec(assignment)!;
    all.delete(path.trim()); // else it would keep its earlier place
    all.set(path.trim(), parse(value));
  }
  return Object.fromEntries(all);
}

function orderRuns(content: ExperimentFile, cells: Cell[], runFolder: Experiment['runFolder']): Run[] {
  const runs = content.seeds.flatMap((seed) =>
    cells.map((cell) => {
      const rule = content.order.find(({ runs }) => matches({ ...cell.axes, seed }, runs));
      return { cell, seed, folder: runFolder(cell, seed), stage: rule?.stage ?? Number.POSITIVE_INFINITY };
    }),
  );
  return byStage(runs);
}

/** The runs of lower stages first; those of one stage stay as they were. */
export function byStage(runs: readonly Run[]): Run[] {
  return [...runs].sort((a, b) => (a.stage === b.stage ? 0 : a.stage - b.stage));
}
