/** Errors against epochs: the paper's Figures 4 and 5. */

import { groupBy } from '../../analysis/group-by.js';
import type { Study, StudyCell } from '../../analysis/study.js';
import type { CurveRow } from '../../runs/curves.js';
import type { Figure } from './figures.js';
import { distinct, drawnRuns, lineNames, seedsInWords, spreadOf } from './lines.js';
import type { LinePoint, Panel } from './panel.js';
import { lineStyles } from './style.js';

/**
 * Errors against epochs. With several batch sizes a panel for each normalizer and a line for each size (Figure 5), else
 * a line for each normalizer (Figure 4); validation error, then training error.
 */
export function curvesFigure(study: Study): Figure | undefined {
  const cells = study.cells.filter((cell) => drawnRuns(cell).some(({ rows }) => rows.length > 1));
  if (cells.length === 0) return undefined;
  const last = Math.max(...cells.flatMap((cell) => drawnRuns(cell).map(({ epochs }) => epochs.done)));
  const nameOf = lineNames(study.cells);
  const sizes = distinct(study.cells.map(({ setting }) => setting.batchSize)).sort((a, b) => b - a);
  const bySize = sizes.length > 1;
  const groups = bySize ? [...groupBy(cells, nameOf)] : [['', cells] as const];
  const lineOf = (cell: StudyCell) => (bySize ? String(cell.setting.batchSize) : nameOf(cell));
  const lines = lineStyles(bySize ? sizes.map(String) : distinct(study.cells.map(nameOf)));
  const panels = (['val_error', 'train_error'] as const).flatMap((column) => {
    const what = column === 'val_error' ? 'Validation error' : 'Training error';
    const everyPoint = groups.map(([, members]) =>
      members.flatMap((cell) => curveOf(cell, column, lineOf(cell))),
    );
    // Epochs that were not evaluated, or gave no number, have no point; a figure needs one.
    if (everyPoint.flat().length === 0) return [];
    const domain = curveDomain(everyPoint.flat(), last);
    return groups.map(
      ([name, members], index): Panel => ({
        title: name === '' ? what : `${name}: ${what.toLowerCase()}`,
        subtitle: [seedsInWords(members.map(drawnRuns))],
        style: 'curve',
        points: everyPoint[index],
        seeds: [],
        lines,
        legendTitle: bySize ? 'batch size' : '',
        x: { title: 'epoch', values: [0, last], log2: false, descending: false },
        y: { title: 'error (%)', domain },
      }),
    );
  });
  if (panels.length === 0) return undefined;
  return {
    name: 'curves',
    caption: 'Validation and training error against epochs; the mean over seeds, with their range behind it',
    columns: bySize ? groups.length : 2,
    panels,
  };
}

/** Mean over the runs at each epoch that all of them reached. */
function curveOf(cell: StudyCell, column: 'val_error' | 'train_error', line: string): LinePoint[] {
  const curves = drawnRuns(cell)
    .map(({ rows }) => new Map(rows.map((row: CurveRow) => [row.epoch, row[column]])))
    .filter((curve) => curve.size > 0);
  if (curves.length === 0) return [];
  return [...curves[0].keys()].flatMap((epoch) => {
    const values = curves.map((curve) => curve.get(epoch));
    const finite = values.filter((value): value is number => Number.isFinite(value));
    return finite.length === curves.length ? { line, x: epoch, ...spreadOf(finite) } : [];
  });
}

/** From the lowest error to the highest after the first tenth of training, where the curves have come down. */
function curveDomain(points: LinePoint[], last: number): [number, number] {
  const late = points.filter(({ x }) => x > last / 10);
  const settled = late.length > 0 ? late : points;
  const highs = settled.map(({ y, high }) => high ?? y);
  const lows = points.map(({ y, low }) => low ?? y);
  return [Math.floor(Math.min(...lows) / 5) * 5, Math.ceil(Math.max(...highs) / 5) * 5];
}
