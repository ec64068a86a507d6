/** Precision against recall of detectors, at an overlap of 0.5. */

import { readScores } from '../../analysis/read-scores.js';
import { mean } from '../../analysis/statistics.js';
import type { Study, StudyCell } from '../../analysis/study.js';
import { distinct, drawnRuns, lineNames, seedsInWords } from './lines.js';
import type { Figure, LinePoint, Panel } from './panel.js';
import { lineStyles } from './style.js';

/** A panel for boxes and one for masks, with a line for each cell: the mean over its seeds. */
export function precisionRecallFigure({ cells }: Study): Figure | undefined {
  const sizes = distinct(cells.map(({ setting }) => setting.batchSize));
  const nameOf = lineNames(cells);
  const lineOf = (cell: StudyCell) =>
    sizes.length > 1 ? `${nameOf(cell)}, ${cell.setting.batchSize}` : nameOf(cell);
  const curves = cells.map((cell) => ({
    cell,
    scores: drawnRuns(cell).flatMap(({ folder }) => readScores(folder) ?? []),
  }));
  const lines = lineStyles(distinct(cells.map(lineOf)));
  const panels = (['box', 'mask'] as const).flatMap((by): Panel[] => {
    const drawn = curves.map(({ cell, scores }) => {
      const each = scores.flatMap((score) => {
        const precision = score[by]?.precisionAt50;
        return Array.isArray(precision) ? [precision] : [];
      });
      return { line: lineOf(cell), each };
    });
    const points = drawn.flatMap(({ line, each }): LinePoint[] =>
      each.length === 0
        ? []
        : each[0].map((_, recall) => ({
            line,
            x: recall,
            y: 100 * mean(each.map((precision) => precision[recall])),
          })),
    );
    if (points.length === 0) return [];
    return [
      {
        title: by === 'box' ? 'Boxes' : 'Masks',
        subtitle: ['at an overlap of 0.5', seedsInWords(drawn.map(({ each }) => each))],
        style: 'curve',
        points,
        seeds: [],
        lines,
        legendTitle: '',
        x: { title: 'recall (%)', values: [0, 100], log2: false, descending: false },
        y: { title: 'precision (%)', domain: [0, 100] },
      },
    ];
  });
  if (panels.length === 0) return undefined;
  return {
    name: 'precision-recall',
    caption: 'Precision against recall on the validation images, the mean over classes and seeds',
    columns: 2,
    panels,
  };
}
