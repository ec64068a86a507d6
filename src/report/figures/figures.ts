/** The figures of an experiment: the paper's Figure 1 (error against batch size), and its Figures 4 and 5 (curves). */
import { comparedBaseline } from '../../analysis/contrasts.js';
import { isPaperSetting, properName } from '../../analysis/differences.js';
import { groupBy } from '../../analysis/group-by.js';
import { errorsOf, type Study, type StudyCell } from '../../analysis/study.js';
import { compareSettings } from '../../experiments/setting.js';
import { curvesFigure } from './curves.js';
import { distinct, lineNames, seedsInWords, spreadOf } from './lines.js';
import type { LinePoint, Panel } from './panel.js';
import { lineStyles } from './style.js';

/** Panels that belong together, in rows of `columns`. */
export interface Figure {
  /** File name without ending. */
  name: string;
  caption: string;
  columns: number;
  panels: Panel[];
}

/** The figures that the study's cells and the ones they are compared with allow; those without a single completed run or curve are left out. */
export function figuresOf(original: Study): Figure[] {
  const cells = [...original.cells, ...comparedBaseline(original)];
  const study = { ...original, cells: cells.sort((a, b) => compareSettings(a.setting, b.setting)) };
  const figures = [errorFigure(study), groupsFigure(study), curvesFigure(study)];
  return figures.filter((figure): figure is Figure => figure !== undefined);
}

/** Validation error against batch size, the paper's beside ours on a scale of the same length. */
function errorFigure(study: Study): Figure | undefined {
  const sizes = distinct(study.cells.map(({ setting }) => setting.batchSize)).sort((a, b) => b - a);
  if (sizes.length < 2) return undefined;
  return besideThePaper(study, {
    name: 'error-by-batch-size',
    caption: 'Validation error against batch size',
    xTitle: workersOf(study) > 1 ? 'batch size (images per worker)' : 'batch size',
    xOf: ({ setting }) => setting.batchSize,
    lineOf: lineNames(study.cells),
    values: sizes,
  });
}

/** Table 3 as a figure: error against the number, or the width, of the groups. */
function groupsFigure(study: Study): Figure | undefined {
  if (study.reproduces?.table !== 3) return undefined;
  const byWidth = study.cells.some(({ setting }) => setting.channelsPerGroup !== undefined);
  const xOf = ({ setting }: StudyCell) =>
    (byWidth ? setting.channelsPerGroup : setting.groups) ??
    (setting.normalizer === (byWidth ? 'instance' : 'layer') ? 1 : undefined);
  const values = distinct(study.cells.flatMap((cell) => xOf(cell) ?? [])).sort((a, b) => b - a);
  if (values.length < 2) return undefined;
  return besideThePaper(study, {
    name: byWidth ? 'error-by-channels-per-group' : 'error-by-groups',
    caption: byWidth
      ? 'Validation error against the channels per group'
      : 'Validation error against the groups',
    xTitle: byWidth ? 'channels per group' : 'groups',
    xOf,
    lineOf: () => 'GN',
    values,
  });
}

interface Axis {
  name: string;
  caption: string;
  xTitle: string;
  xOf(cell: StudyCell): number | undefined;
  lineOf(cell: StudyCell): string;
  values: number[];
}

function besideThePaper(study: Study, axis: Axis): Figure | undefined {
  const { cells } = study;
  const ours: LinePoint[] = cells.flatMap((cell) => {
    const errors = errorsOf(cell).map(({ error }) => error);
    const x = axis.xOf(cell);
    return errors.length === 0 || x === undefined ? [] : { line: axis.lineOf(cell), x, ...spreadOf(errors) };
  });
  if (ours.length === 0) return undefined;
  const seeds = cells.flatMap((cell) => {
    const errors = errorsOf(cell);
    const x = axis.xOf(cell);
    return errors.length < 2 || x === undefined
      ? []
      : errors.map(({ error }) => ({ line: axis.lineOf(cell), x, y: error }));
  });
  // Lines that differ in what the paper has no word for (precision, statistics) share one of the paper's.
  const published = distinctBy(
    cells.flatMap((cell) => {
      const x = axis.xOf(cell);
      return cell.published === undefined || x === undefined
        ? []
        : { line: axis.lineOf(cell), x, y: cell.published.error, of: cell.published };
    }),
    ({ of, x }) => `${of.model} ${of.normalizer} ${x}`,
  ).map(({ line, x, y }) => ({ line, x, y }));
  const lines = lineStyles(distinct(cells.map(axis.lineOf)));
  const span = Math.max(spanOf(ours), spanOf(published)) * 1.2 || 1;
  const common = {
    lines,
    legendTitle: '',
    x: { title: axis.xTitle, values: axis.values, log2: true, descending: true },
  };
  const panel = (points: LinePoint[], title: string, subtitle: string[], seeds: Panel['seeds']): Panel => ({
    ...common,
    style: 'points',
    title,
    subtitle,
    points,
    seeds,
    y: { title: 'validation error (%)', domain: domainAround(points, span) },
  });
  const spread = seeds.length > 0 ? `mean and range of ${seedsInWords(cells.map(errorsOf))}` : 'one seed';
  const panels = [panel(ours, 'Here', [settingInWords(study), spread], seeds)];
  if (published.length > 0)
    panels.unshift(panel(published, 'Paper', [`ImageNet, ${paperModel(cells)}`, sourcesOf(cells)], []));
  return { name: axis.name, caption: axis.caption, columns: 2, panels };
}

function settingInWords(study: Study): string {
  const cell = study.cells.find(({ runs }) => runs.some(({ summary }) => summary)) ?? study.cells[0];
  const dataset = cell.runs.find(({ summary }) => summary)?.summary?.dataset.name ?? cell.config.data.name;
  const data = isPaperSetting(cell) ? 'ImageNet' : properName(dataset);
  return `${data}, ${distinct(study.cells.map(({ setting }) => properName(setting.model))).join(' and ')}`;
}

function paperModel(cells: StudyCell[]): string {
  return distinct(cells.flatMap(({ published }) => (published ? properName(published.model) : []))).join(
    ' and ',
  );
}

function sourcesOf(cells: StudyCell[]): string {
  return distinct(cells.flatMap(({ published }) => published?.source ?? [])).join(', ');
}

function workersOf(study: Study): number {
  return Math.max(...study.cells.map(({ setting }) => setting.workers));
}

function spanOf(points: LinePoint[]): number {
  const values = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  return values.length === 0 ? 0 : Math.max(...values) - Math.min(...values);
}

/** An axis of length `span` (a little more, to end on whole numbers) with the points in its middle. */
function domainAround(points: LinePoint[], span: number): [number, number] {
  const values = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  const middle = (Math.max(...values) + Math.min(...values)) / 2;
  const low = Math.max(0, Math.floor(middle - span / 2));
  return [low, low + Math.ceil(span) + 1];
}

function distinctBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): Value[] {
  return [...groupBy(values, keyOf).values()].map(([first]) => first);
}
