/** Metrics and losses against epochs, or steps where rows are of so many: the paper's Figures 4 and 5. */

import { groupBy } from '../../analysis/group-by.js';
import { type Study, type StudyCell, trainColumns } from '../../analysis/study.js';
import { type CurveRow, trainColumn, valColumn } from '../../runs/curves.js';
import { isOfHundred, labelOf, labelWithUnit, type Metric } from '../../tasks/metric.js';
import { distinct, drawnRuns, lineNames, seedsInWords, spreadOf } from './lines.js';
import type { Figure, LinePoint, Panel } from './panel.js';
import { lineStyles } from './style.js';

/** A column of `curves.csv` as a row of panels. */
interface PlottedColumn {
  column: `train_${string}` | `val_${string}`;
  /** `Validation error` */
  title: string;
  metric: Metric;
}

/** Values up to 100 or so are drawn between multiples of 5; others are fitted. */
const loss: Metric = { name: 'loss', unit: '', better: 'lower', aboutEqual: 0 };

/**
 * The task's metrics on the validation split, then the compared one in training, or where it is not logged the loss, and
 * each of the losses that it is the sum of. A detector's many metrics are drawn by the averages over all overlaps and sizes
 * alone.
 */
function curvesOf(study: Study): PlottedColumn[] {
  const all = study.cells.flatMap(({ runs }) => runs).find(({ summary }) => summary)?.metrics;
  const metrics = (all ?? [study.metric]).filter(({ name }, _, { length }) => length < 5 || /AP$/.test(name));
  const validation = metrics.map((metric): PlottedColumn => {
    return { column: valColumn(metric.name), title: `Validation ${labelOf(metric)}`, metric };
  });
  const isLogged = trainColumns(study).includes(trainColumn(study.metric.name));
  const metric = isLogged ? study.metric : loss;
  const parts = isLogged ? [] : trainColumns(study).filter((column) => column !== 'train_loss');
  return [
    ...validation,
    { column: trainColumn(metric.name), title: `Training ${labelOf(metric)}`, metric },
    ...parts.map((column): PlottedColumn => {
      // `proposalScore` is the proposals' score.
      const name = column.replace('train_', '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      return { column, title: `Training loss, ${name}`, metric: { ...loss, label: `loss, ${name}` } };
    }),
  ];
}

/** `Validation and training error`, `Validation box AP, mask AP and training loss with its parts` */
function captionOf(curves: PlottedColumn[]): string {
  const isTraining = ({ column }: PlottedColumn) => column.startsWith('train_');
  const [trained, ...parts] = curves.filter(isTraining).map(({ metric }) => labelOf(metric));
  const validation = curves.filter((curve) => !isTraining(curve)).map(({ metric }) => labelOf(metric));
  if (validation.length === 1 && validation[0] === trained) return `Validation and training ${trained}`;
  const withParts = parts.length > 0 ? `${trained} with its parts` : trained;
  return `Validation ${validation.join(', ')} and training ${withParts}`;
}

/**
 * Metrics against epochs. With several batch sizes a panel for each normalizer and a line for each size (Figure 5), else
 * a line for each normalizer (Figure 4); validation, then training.
 */
export function curvesFigure(study: Study): Figure | undefined {
  const cells = study.cells.filter((cell) => drawnRuns(cell).some(({ rows }) => rows.length > 1));
  if (cells.length === 0) return undefined;
  const unit = unitOfRows(cells);
  const last = Math.max(
    ...cells.flatMap((cell) => drawnRuns(cell).map(({ rows }) => rows.at(-1)?.[unit] ?? 0)),
  );
  const nameOf = lineNames(study.cells);
  const sizes = distinct(study.cells.map(({ setting }) => setting.batchSize)).sort((a, b) => b - a);
  const bySize = sizes.length > 1;
  const groups = bySize ? [...groupBy(cells, nameOf)] : [['', cells] as const];
  const lineOf = (cell: StudyCell) => (bySize ? String(cell.setting.batchSize) : nameOf(cell));
  const lines = lineStyles(bySize ? sizes.map(String) : distinct(study.cells.map(nameOf)));
  const curves = curvesOf(study);
  const panels = curves.flatMap(({ column, title, metric }) => {
    const everyPoint = groups.map(([, members]) =>
      members.flatMap((cell) => curveOf(cell, column, unit, lineOf(cell))),
    );
    // Epochs that were not evaluated, or gave no number, have no point; a figure needs one.
    if (everyPoint.flat().length === 0) return [];
    const domain = curveDomain(everyPoint.flat(), last, metric);
    return groups.map(
      ([name, members], index): Panel => ({
        title: name === '' ? title : `${name}: ${title.charAt(0).toLowerCase()}${title.slice(1)}`,
        subtitle: [seedsInWords(members.map(drawnRuns))],
        style: 'curve',
        points: everyPoint[index],
        seeds: [],
        lines,
        legendTitle: bySize ? 'batch size' : '',
        x: { title: unit, values: [0, last], log2: false, descending: false },
        y: { title: labelWithUnit(metric), domain },
      }),
    );
  });
  if (panels.length === 0) return undefined;
  return {
    name: 'curves',
    caption: `${captionOf(curves)} against ${unit}s; the mean over seeds, with their range behind it`,
    columns: bySize ? groups.length : 2,
    panels,
  };
}

/** Epochs tell rows apart, unless a run was evaluated every so many steps. */
export const unitOfRows = (cells: readonly StudyCell[]): 'epoch' | 'step' =>
  cells.some(({ config }) => config.evaluate.everySteps !== undefined) ? 'step' : 'epoch';

/** Mean over the runs at each epoch or step that all of them reached. */
function curveOf(
  cell: StudyCell,
  column: PlottedColumn['column'],
  unit: 'epoch' | 'step',
  line: string,
): LinePoint[] {
  const curves = drawnRuns(cell)
    .map(({ rows }) => new Map(rows.map((row: CurveRow) => [row[unit], row[column]])))
    .filter((curve) => curve.size > 0);
  if (curves.length === 0) return [];
  return [...curves[0].keys()].flatMap((x) => {
    const values = curves.map((curve) => curve.get(x));
    const finite = values.filter((value): value is number => Number.isFinite(value));
    return finite.length === curves.length ? { line, x, ...spreadOf(finite) } : [];
  });
}

/** From the best value to the worst after the first tenth of training, where the curves have left their beginnings. */
function curveDomain(points: LinePoint[], last: number, metric: Metric): [number, number] {
  const late = points.filter(({ x }) => x > last / 10);
  const settled = late.length > 0 ? late : points;
  const [ofLows, ofHighs] = metric.better === 'lower' ? [points, settled] : [settled, points];
  const low = Math.min(...ofLows.map(({ y, low }) => low ?? y));
  const high = Math.max(...ofHighs.map(({ y, high }) => high ?? y));
  const step = isOfHundred(metric)
    ? 5
    : 10 ** (Math.floor(Math.log10(high - low || Math.abs(high) || 1)) - 1);
  // Without the last digits of a product such as 3 · 0.1.
  const multiple = (count: number) => Number((count * step).toPrecision(12));
  return [multiple(Math.floor(low / step)), multiple(Math.ceil(high / step))];
}
