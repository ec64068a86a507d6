import { dirname, relative, resolve } from 'node:path';
import { cellId } from '../config/identity.js';
import { parseConfig, readText } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { withPlaces } from '../config/source-positions.js';
import { UserError } from '../errors.js';
import { headOf } from '../tasks/index.js';
import { cellSlug } from './cell-name.js';
import { gridPoints, type Match, matches, type Point } from './grid.js';
import { cellLabels, pointLabel } from './label.js';
import { planCell } from './plan.js';
import type { SourceFile } from './read.js';
import { settingOf } from './setting.js';

/** More runs than this are a slip of the pen, not an experiment. */
const mostRuns = 10_000;

/** A config without its seed. `key` names its folder: `bn-b32-1a2b3c4d5e`. */
export interface Cell {
  key: string;
  label: string;
  /** The first ten hex digits of the hash of everything that affects its result. */
  id: string;
  /** Every default filled in; its `seed` is to be replaced by the run's. */
  config: Config;
  /** Its value on each axis, as written. */
  axes: Point;
}

/** A base config's text, and what errors call it. */
export interface BaseText {
  text: string;
  file: string;
}

export interface CellOptions {
  set?: readonly string[];
  check?: boolean;
  /** `--data`, where a check needs it. */
  data?: string;
}

/** One that is written inside the experiment keeps its lines and columns, for errors to point at. */
export async function readBase(source: SourceFile): Promise<BaseText> {
  const { base } = source.content;
  if (typeof base !== 'string') return { text: source.only(['base']), file: source.file };
  const file = relative('.', resolve(dirname(source.file), base));
  try {
    return { text: await readText(file, 'configs/*.yaml'), file };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`base config ${base}: ${error.message}`, {
      place: source.place(['base']),
      fix: error.fix,
    });
  }
}

/**
 * Every cell of the grid, checked.
 *
 * @param options.set `path=value` overrides from the command line, over all that the file says
 * @param options.check also what only shows with the model and the data's sizes
 * @throws UserError that names the cell and points at the axis, the override or the base's key that is wrong
 */
export async function makeCells(source: SourceFile, base: BaseText, options: CellOptions): Promise<Cell[]> {
  const { content } = source;
  const { set = [] } = options;
  checkSize(source);
  for (const [index, rule] of content.exclude.entries()) checkRule(source, ['exclude', index], rule);
  for (const [index, { runs }] of content.order.entries()) checkRule(source, ['order', index, 'runs'], runs);
  refuseSeeds(source, set);
  const everywhere = [...Object.entries(content.set).map(([path, value]) => assign(path, value)), ...set];
  const points = gridPoints(content.axes).filter(
    (point) => !content.exclude.some((rule) => matches(point, rule)),
  );
  if (points.length === 0) {
    throw new UserError('excludes every cell', {
      place: source.place(['exclude']),
      fix: 'leave at least one cell',
    });
  }
  const cells: Omit<Cell, 'label'>[] = [];
  for (const point of points)
    cells.push(await makeCell(source, base, point, { ...options, set: everywhere }));
  refuseTwins(source, cells);
  const labels = cellLabels(cells.map(({ config }) => ({ config, setting: settingOf(config) })));
  return cells.map((cell, index) => ({ ...cell, label: labels[index] }));
}

async function makeCell(
  source: SourceFile,
  base: BaseText,
  axes: Point,
  options: CellOptions,
): Promise<Omit<Cell, 'label'>> {
  const slug = cellSlug(axes);
  const assignments = Object.entries(axes).map(([path, value]) => assign(path, value));
  try {
    const config = parseConfig(base.text, {
      file: base.file,
      overrides: [...assignments, ...(options.set ?? [])],
    });
    config.name = slug;
    if (options.check)
      await withPlaces(config, async () => planCell(config, options.data, await headOf(config)));
    const id = cellId(config);
    return { key: `${slug}-${id}`, id, config, axes };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const place = writtenAt(source, axes, error.place) ?? error.place;
    throw new UserError(`cell ${slug}: ${error.message}`, { place, fix: error.fix, cause: error });
  }
}

const assign = (path: string, value: unknown) => `${path}=${JSON.stringify(value)}`;

/** The position in the file of the axis or of the entry of `set` that a faulty value came from. */
function writtenAt(source: SourceFile, axes: Point, place: string | undefined): string | undefined {
  const path = /^--set ([^\s=]+)$/.exec(place ?? '')?.[1];
  if (path === undefined) return undefined;
  if (Object.hasOwn(source.content.set, path)) return source.place(['set', path]);
  return Object.hasOwn(axes, path) ? source.place(['axes', path]) : undefined;
}

function checkSize(source: SourceFile): void {
  const { axes, seeds } = source.content;
  const runs = Object.values(axes).reduce((product, values) => product * values.length, seeds.length);
  if (runs <= mostRuns) return;
  throw new UserError(`the axes span ${runs} runs, and ${mostRuns} is the most`, {
    place: source.place(['axes']),
  });
}

/** Seeds are listed under `seeds`: every cell runs with each of them. */
function refuseSeeds(source: SourceFile, set: readonly string[]): void {
  const fix = 'list the seeds under "seeds"';
  for (const key of ['axes', 'set'] as const) {
    if (Object.hasOwn(source.content[key], 'seed')) {
      throw new UserError('`seed` cannot be set for a cell', { place: source.place([key, 'seed']), fix });
    }
  }
  if (set.some((assignment) => /^\s*seed\s*=/.test(assignment))) {
    throw new UserError('`seed` cannot be set for a cell', { place: '--set seed', fix });
  }
}

function refuseTwins(source: SourceFile, cells: readonly Omit<Cell, 'label'>[]): void {
  const byId = new Map<string, Omit<Cell, 'label'>>();
  for (const cell of cells) {
    const twin = byId.get(cell.id);
    if (twin) {
      throw new UserError(
        `the cells "${pointLabel(twin.axes)}" and "${pointLabel(cell.axes)}" are the same configuration`,
        {
          place: source.place(['axes']),
          fix: 'drop one of the values, or the override that makes them equal',
        },
      );
    }
    byId.set(cell.id, cell);
  }
}

/** A rule that picks nothing is a typing error. */
function checkRule(source: SourceFile, path: (string | number)[], rule: Match): void {
  const { axes, seeds } = source.content;
  const known: Record<string, readonly unknown[]> = path[0] === 'order' ? { ...axes, seed: seeds } : axes;
  for (const [key, wanted] of Object.entries(rule)) {
    const place = source.place([...path, key]);
    if (!Object.hasOwn(known, key)) {
      throw new UserError(`"${key}" is not an axis of this experiment`, {
        place,
        fix: `valid: ${Object.keys(known).join(', ')}`,
      });
    }
    for (const value of Array.isArray(wanted) ? wanted : [wanted]) {
      if (!known[key].some((candidate) => matches({ [key]: candidate }, { [key]: value }))) {
        throw new UserError(`${key} never has the value ${JSON.stringify(value)}`, {
          place,
          fix: `valid: ${known[key].map((candidate) => JSON.stringify(candidate)).join(', ')}`,
        });
      }
    }
  }
}
