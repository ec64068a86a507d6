/** How a convolution's responses are distributed, against epochs: the paper's Figure 6. */
import { mean } from '../../analysis/statistics.js';
import type { Study, StudyCell } from '../../analysis/study.js';
import { percentiles } from '../../runs/responses.js';
import { unitOfRows } from './curves.js';
import { distinct, drawnRuns, lineNames, seedsInWords } from './lines.js';
import type { Figure, LinePoint, Panel } from './panel.js';
import { lineStyles } from './style.js';

const lineOf = (percentile: number) => String(percentile);

/** A figure for each logged layer: a panel for each cell with its own scale, and a line for each percentile. */
export function responsesFigures(study: Study): Figure[] {
  const unit = unitOfRows(study.cells);
  const nameOf = lineNames(study.cells);
  const severalSizes = distinct(study.cells.map(({ setting }) => setting.batchSize)).length > 1;
  const panelsOf = (layer: string): Panel[] =>
    study.cells.flatMap((cell) => {
      const runs = drawnRuns(cell).filter(({ responses }) => responses?.some(({ layers }) => layers[layer]));
      const points = pointsOf(cell, layer, unit);
      if (points.length === 0) return [];
      const size = severalSizes ? ` at ${cell.setting.batchSize}` : '';
      return {
        title: `${nameOf(cell)}${size}`,
        subtitle: [seedsInWords([runs])],
        style: 'curve',
        points,
        seeds: [],
        // The largest stands first, as it does in the plot.
        lines: lineStyles([...percentiles].reverse().map(lineOf)),
        legendTitle: 'percentile',
        x: {
          title: unit,
          values: [0, Math.max(...points.map(({ x }) => x))],
          log2: false,
          descending: false,
        },
        y: { title: 'response', domain: domainOf(points) },
      };
    });
  return layersOf(study).flatMap((layer) => {
    const panels = panelsOf(layer);
    return panels.length === 0
      ? []
      : {
          name: `responses-${layer.replace(/[^\w-]+/g, '-')}`,
          caption: `Responses of ${layer} to validation images, before the normalizer and the ReLU: 1, 20, 80 and 99 percent of them are smaller; the mean over seeds`,
          columns: Math.min(3, panels.length),
          panels,
        };
  });
}

function layersOf(study: Study): string[] {
  const runs = study.cells.flatMap(drawnRuns);
  return distinct(runs.flatMap(({ responses = [] }) => responses.flatMap((row) => Object.keys(row.layers))));
}

/** The mean over the runs at each epoch or step that all of them logged. */
function pointsOf(cell: StudyCell, layer: string, unit: 'epoch' | 'step'): LinePoint[] {
  const logged = drawnRuns(cell)
    .map(({ responses = [] }) => new Map(responses.map((row) => [row[unit], row.layers[layer]])))
    .filter((byRow) => [...byRow.values()].some(Boolean));
  if (logged.length === 0) return [];
  return [...logged[0].keys()].flatMap((x) =>
    percentiles.flatMap((percentile, index): LinePoint[] => {
      const values = logged.map((byRow) => byRow.get(x)?.[index]);
      const finite = values.filter((value): value is number => Number.isFinite(value));
      return finite.length === logged.length ? [{ line: lineOf(percentile), x, y: mean(finite) }] : [];
    }),
  );
}

/** All points, with ends that are whole multiples of a tenth of the range's order of magnitude. */
function domainOf(points: LinePoint[]): [number, number] {
  const values = points.map(({ y }) => y);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const unit = 10 ** Math.floor(Math.log10(high - low || Math.abs(high) || 1)) / 2;
  return [Math.floor(low / unit) * unit, Math.ceil(high / unit) * unit];
}
