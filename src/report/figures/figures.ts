/**
 * The figures of an experiment: the paper's Figure 1 (the compared metric against batch size), its Figures 4 and 5
 * (curves), and its Figure 6 (responses).
 */
import { shownCells } from '../../analysis/contrasts.js';
import { isPaperSetting, settingOfPaper } from '../../analysis/differences.js';
import { groupBy } from '../../analysis/group-by.js';
import { networkName, properName } from '../../analysis/proper-name.js';
import { type Study, type StudyCell, valuesOf } from '../../analysis/study.js';
import { isDetectorName, isOverClips } from '../../config/schema-model.js';
import { compareSettings } from '../../experiments/setting.js';
import { isOfHundred, labelOf, labelWithUnit } from '../../tasks/metric.js';
import { curvesFigure } from './curves.js';
import { distinct, lineNames, seedsInWords, spreadOf } from './lines.js';
import type { Figure, LinePoint, Panel } from './panel.js';
import { precisionRecallFigure } from './precision-recall.js';
import { responsesFigures } from './responses.js';
import { lineStyles } from './style.js';

/**
 * The figures that the study's cells and the ones they are compared with allow; those without a single completed run
 * or curve are left out.
 */
export function figuresOf(original: Study): Figure[] {
  const cells = shownCells(original).sort((a, b) => compareSettings(a.setting, b.setting));
  const study = { ...original, cells };
  const figures = [
    batchSizeFigure(study),
    groupsFigure(study),
    curvesFigure(study),
    precisionRecallFigure(study),
    ...responsesFigures(study),
  ];
  return figures.filter((figure): figure is Figure => figure !== undefined);
}

/** The compared metric against batch size, the paper's beside ours on a scale of the same length. */
function batchSizeFigure(study: Study): Figure | undefined {
  const sizes = distinct(study.cells.map(({ setting }) => setting.batchSize)).sort((a, b) => b - a);
  if (sizes.length < 2) return undefined;
  return besideThePaper(study, {
    name: `${study.metric.name}-by-batch-size`,
    caption: `Validation ${labelOf(study.metric)} against batch size`,
    xTitle: batchInWords(study),
    xOf: ({ setting }) => setting.batchSize,
    lineOf: lineNames(study.cells),
    values: sizes,
  });
}

function batchInWords(study: Study): string {
  if (study.cells.every(({ setting }) => isDetectorName(setting.model))) return 'images a worker';
  const isOfClips = study.cells.every(({ setting }) => isOverClips(setting.model));
  if (workersOf(study) > 1) return `batch size (${isOfClips ? 'clips' : 'images'} per worker)`;
  return isOfClips ? 'batch size (clips)' : 'batch size';
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
    name: `${study.metric.name}-by-${byWidth ? 'channels-per-group' : 'groups'}`,
    caption: `Validation ${labelOf(study.metric)} against the ${byWidth ? 'channels per group' : 'groups'}`,
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
    const values = valuesOf(cell).map(({ value }) => value);
    const x = axis.xOf(cell);
    return values.length === 0 || x === undefined ? [] : { line: axis.lineOf(cell), x, ...spreadOf(values) };
  });
  if (ours.length === 0) return undefined;
  const seeds = cells.flatMap((cell) => {
    const values = valuesOf(cell);
    const x = axis.xOf(cell);
    return values.length < 2 || x === undefined
      ? []
      : values.map(({ value }) => ({ line: axis.lineOf(cell), x, y: value }));
  });
  // Lines that differ in what the paper has no word for (precision, statistics) share one of the paper's.
  const published = distinctBy(
    cells.flatMap((cell) => {
      const x = axis.xOf(cell);
      return cell.published === undefined || x === undefined
        ? []
        : { line: axis.lineOf(cell), x, y: cell.published.value, of: cell.published };
    }),
    ({ of, x, y }) => `${of.model} ${of.normalizer} ${x} ${y}`,
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
    y: {
      title: `validation ${labelWithUnit(study.metric)}`,
      domain: domainAround(points, span, unitOf(study)),
    },
  });
  const spread =
    seeds.length > 0 ? `mean of ${seedsInWords(cells.map(valuesOf))}, a tick for each` : 'one seed';
  const panels = [panel(ours, 'Here', [settingInWords(study), spread], seeds)];
  if (published.length > 0)
    panels.unshift(
      panel(
        published,
        'Paper',
        [`${settingOfPaper(cells).data}, ${paperModel(cells)}`, sourcesOf(cells)],
        [],
      ),
    );
  return { name: axis.name, caption: axis.caption, columns: 2, panels };
}

function settingInWords(study: Study): string {
  const cell = study.cells.find(({ runs }) => runs.some(({ summary }) => summary)) ?? study.cells[0];
  const dataset = cell.runs.find(({ summary }) => summary)?.summary?.dataset.name ?? cell.config.data.name;
  const data = isPaperSetting(cell) ? 'ImageNet' : properName(dataset);
  return `${data}, ${distinct(study.cells.map(({ config }) => networkName(config))).join(' and ')}`;
}

function paperModel(cells: StudyCell[]): string {
  return distinct(cells.flatMap(({ published }) => (published ? properName(published.model) : []))).join(
    ' and ',
  );
}

function sourcesOf(cells: StudyCell[]): string {
  return distinct(cells.flatMap(({ published }) => published?.source ?? [])).join(', ');
}

/** An axis ends on multiples of this: whole points of a metric up to 100, else a tenth of its largest value's order. */
function unitOf({ metric, cells }: Study): number {
  if (isOfHundred(metric)) return 1;
  const largest = Math.max(...cells.flatMap((cell) => valuesOf(cell).map(({ value }) => Math.abs(value))));
  return 10 ** (Math.floor(Math.log10(largest || 1)) - 1);
}

function workersOf(study: Study): number {
  return Math.max(...study.cells.map(({ setting }) => setting.workers));
}

function spanOf(points: LinePoint[]): number {
  const values = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  return values.length === 0 ? 0 : Math.max(...values) - Math.min(...values);
}

/** An axis of length `span` (a little more, to end on multiples of `unit`) with the points in its middle. */
function domainAround(points: LinePoint[], span: number, unit: number): [number, number] {
  const values = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  const middle = (Math.max(...values) + Math.min(...values)) / 2;
  const least = Math.min(...values) < 0 ? Number.NEGATIVE_INFINITY : 0;
  const low = Math.max(least, Math.floor((middle - span / 2) / unit)) * unit;
  // Without the last digits of a product such as 3 · 0.1.
  const tidy = (value: number) => Number(value.toPrecision(12));
  return [tidy(low), tidy(low + (Math.ceil(span / unit) + 1) * unit)];
}

function distinctBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): Value[] {
  return [...groupBy(values, keyOf).values()].map(([first]) => first);
}
