import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve as resolvePath } from 'node:path';
import { configIdentity } from '../config/identity.js';
import { parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { UserError } from '../errors.js';
import { cellLabel, cellSlug } from './cell-name.js';
import { gridPoints, type Match, matches, type Point } from './grid.js';
import { readExperimentFile, type SourceFile } from './read.js';
import type { ExperimentFile, SlurmResources } from './schema.js';

/** A config without its seed. `key` names its folder: `bn-b32-1a2b3c4d5e`. */
export interface Cell {
  key: string;
  label: string;
  /** The first ten hex digits of the hash of everything that affects its result. */
  id: string;
  /** Every default filled in; its `seed` is to be replaced by the run's. */
  config: Config;
  axes: Point;
}

export interface Run {
  cell: Cell;
  seed: number;
  folder: string;
  stage: number;
}

export interface Experiment {
  name: string;
  title: string;
  reproduces?: { table?: number; figure?: number; metric: string };
  /** The experiment whose cells these are to be compared with, by name. */
  baseline?: string;
  /** The file it was read from. */
  file: string;
  /** Where its results go: `results/<name>` in the working folder, unless said otherwise. */
  folder: string;
  cells: Cell[];
  seeds: number[];
  /** Cells of the paper's table that this base cannot have. */
  notPossible: { axes: Point; label: string; why: string }[];
  slurm: SlurmResources;
  /** Every run in the order in which they are to start: by stage, then seed by seed, then as the cells are listed. */
  runs: Run[];
  runFolder(cell: Cell, seed: number): string;
}

/** More than this is a slip of the pen, not an experiment. */
const mostRuns = 10_000;

/**
 * Reads an experiment and every cell in it; all are checked before anything runs.
 *
 * @param file an experiment, or the `experiment.yaml` in a results folder
 * @param options.set `path=value` overrides for every cell, as for `gnbench run`
 * @param options.out where the results are, instead of `results/<name>`
 * @throws UserError with file:line:column, and the cell and key where it is a cell that is wrong
 */
export async function loadExperiment(
  file: string,
  options: { set?: readonly string[]; out?: string } = {},
): Promise<Experiment> {
  const source = await readExperimentFile(file);
  const { content } = source;
  const name = content.name ?? basename(file).replace(/\.ya?ml$/, '');
  const isSnapshot = basename(file) === 'experiment.yaml';
  const folder = options.out ?? (isSnapshot ? dirname(file) : join('results', name));
  const cells = await makeCells(source, options.set ?? []);
  if (cells.length * content.seeds.length > mostRuns) {
    throw new UserError(`${cells.length * content.seeds.length} runs are more than ${mostRuns}`, {
      place: source.place(['axes']),
    });
  }
  const runFolder = (cell: Cell, seed: number) => join(folder, cell.key, String(seed));
  return {
    name,
    title: content.title,
    reproduces: content.reproduces,
    baseline: content.baseline,
    file,
    folder,
    cells,
    seeds: content.seeds,
    notPossible: content.notPossible.map(({ cell, why }) => ({ axes: cell, label: cellLabel(cell), why })),
    slurm: content.slurm,
    runs: orderRuns(content, cells, runFolder),
    runFolder,
  };
}

async function makeCells(source: SourceFile, set: readonly string[]): Promise<Cell[]> {
  const { content } = source;
  const base = await readBase(source);
  const everywhere = [...Object.entries(content.set).map(([path, value]) => override(path, value)), ...set];
  const points = gridPoints(content.axes).filter(
    (point) => !content.exclude.some((rule) => matches(point, rule)),
  );
  for (const [index, rule] of content.exclude.entries()) checkRule(source, ['exclude', index], rule);
  for (const [index, { runs }] of content.order.entries()) checkRule(source, ['order', index, 'runs'], runs);
  if (points.length === 0) {
    throw new UserError('excludes every cell', {
      place: source.place(['exclude']),
      fix: 'leave at least one cell',
    });
  }
  const cells = points.map((point) => makeCell(source, base, point, everywhere));
  const byId = new Map<string, Cell>();
  for (const cell of cells) {
    const twin = byId.get(cell.id);
    if (twin) {
      throw new UserError(`cells "${twin.label}" and "${cell.label}" are the same configuration`, {
        place: source.place(['axes']),
        fix: 'drop one of the values, or the override that makes them equal',
      });
    }
    byId.set(cell.id, cell);
  }
  return cells;
}

function makeCell(source: SourceFile, base: SourceText, axes: Point, everywhere: readonly string[]): Cell {
  const slug = cellSlug(axes);
  const overrides = Object.entries(axes).map(([path, value]) => override(path, value));
  try {
    const config = parseConfig(base.text, {
      file: base.file,
      overrides: [...overrides, ...everywhere],
    });
    const id = cellId(config);
    return { key: `${slug}-${id}`, label: cellLabel(axes), id, config: { ...config, name: slug }, axes };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`cell ${slug}: ${error.message}`, {
      place: axisPlace(source, axes, error.place) ?? error.place,
      fix: error.fix,
      cause: error,
    });
  }
}

/** An override that came from an axis is at fault where the axis stands. */
function axisPlace(source: SourceFile, axes: Point, place: string | undefined): string | undefined {
  const path = place?.replace(/^--set /, '').replace(/=.*$/s, '');
  if (path === undefined || path === place) return undefined;
  if (path in source.content.set) return source.place(['set', path]);
  const axis = Object.keys(axes).find((key) => path === key || path.startsWith(`${key}.`));
  return axis === undefined ? undefined : source.place(['axes', axis]);
}

/** The hash of what affects a cell's result: not its name, seed, paths, threads, checkpoints and logs. */
function cellId(config: Config): string {
  const { seed: _, ...identity } = configIdentity(config) as Record<string, unknown>;
  return createHash('sha256').update(canonicalJson(identity)).digest('hex').slice(0, 10);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

interface SourceText {
  text: string;
  file: string;
}

/** The base config's text. One written inside the experiment keeps its lines and columns, for errors to point at. */
async function readBase(source: SourceFile): Promise<SourceText> {
  const { base } = source.content;
  if (typeof base !== 'string') return { text: source.only(['base']), file: source.file };
  const file = resolvePath(dirname(source.file), base);
  const size = await stat(file).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined || size > 1 << 20) {
    throw new UserError(`base config ${base} ${size === undefined ? 'cannot be read' : 'is over 1 MiB'}`, {
      place: source.place(['base']),
      fix: 'name a config file relative to the experiment, or write the config there',
    });
  }
  return { text: await readFile(file, 'utf8'), file: relativeIfInside(file) };
}

function relativeIfInside(file: string): string {
  const here = `${process.cwd()}/`;
  return file.startsWith(here) ? file.slice(here.length) : file;
}

const override = (path: string, value: unknown) => `${path}=${JSON.stringify(value)}`;

/** A rule that picks nothing is a typing error. */
function checkRule(source: SourceFile, path: (string | number)[], rule: Match): void {
  const { axes, seeds } = source.content;
  const all: Record<string, readonly unknown[]> = { ...axes, seed: seeds };
  for (const [key, wanted] of Object.entries(rule)) {
    const place = source.place([...path, key]);
    if (!(key in all) || (key === 'seed' && path[0] === 'exclude')) {
      throw new UserError(`"${key}" is no axis of this experiment`, {
        place,
        fix: `axes: ${Object.keys(axes).join(', ')}`,
      });
    }
    for (const value of Array.isArray(wanted) ? wanted : [wanted]) {
      if (!all[key].some((candidate) => matches({ [key]: candidate }, { [key]: value }))) {
        throw new UserError(`axis ${key} never has the value ${JSON.stringify(value)}`, {
          place,
          fix: `values: ${all[key].map((candidate) => JSON.stringify(candidate)).join(', ')}`,
        });
      }
    }
  }
}

function orderRuns(
  content: ExperimentFile,
  cells: Cell[],
  runFolder: (cell: Cell, seed: number) => string,
): Run[] {
  const runs = content.seeds.flatMap((seed) =>
    cells.map((cell) => {
      const rule = content.order.find(({ runs }) => matches({ ...cell.axes, seed }, runs));
      return { cell, seed, folder: runFolder(cell, seed), stage: rule?.stage ?? Number.POSITIVE_INFINITY };
    }),
  );
  return runs.sort((a, b) => (a.stage === b.stage ? 0 : a.stage - b.stage));
}
