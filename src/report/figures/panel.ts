/** One set of axes with lines on it, as a Vega-Lite specification. */
import type { LineStyle } from './style.js';

/** A point of a line: the mean over seeds and how far they spread. */
export interface LinePoint {
  line: string;
  x: number;
  y: number;
  /** Smallest and largest seed, where there are at least two. */
  low?: number;
  high?: number;
}

export interface Panel {
  title: string;
  /** Each string is a line. */
  subtitle: string[];
  points: LinePoint[];
  /** Single seeds, shown faintly beside the mean. */
  seeds: { line: string; x: number; y: number }[];
  lines: LineStyle[];
  legendTitle: string;
  x: { title: string; values: number[]; log2: boolean; descending: boolean };
  y: { title: string; domain: [number, number] };
  /** `point`: a few measured points, each marked. `curve`: many, with a mark now and then. */
  style: 'points' | 'curve';
}

/** Panels that belong together, in rows of `columns`. */
export interface Figure {
  /** File name without ending. */
  name: string;
  caption: string;
  columns: number;
  panels: Panel[];
}

export const panelWidth = 300;
const panelHeight = 240;

/** A Vega-Lite specification without legend, to stand in a concatenation. */
export function panelSpec(panel: Panel): object {
  const { points, seeds, x, y, style } = panel;
  const isCurve = style === 'curve';
  const spread = points.filter(({ low }) => low !== undefined);
  const position = {
    x: {
      field: 'x',
      type: 'quantitative',
      title: x.title,
      scale: x.log2
        ? { type: 'log', base: 2, nice: false, padding: 14, reverse: x.descending, domain: ends(x.values) }
        : { nice: false, zero: false, domain: ends(x.values) },
      axis: x.log2
        ? { values: x.values, format: 'd', grid: false }
        : { format: 'd', grid: false, tickCount: 6, tickMinStep: 1 },
    },
    y: {
      field: 'y',
      type: 'quantitative',
      title: y.title,
      scale: { domain: y.domain, nice: false, zero: false },
      axis: { tickCount: 6 },
    },
  };
  const layer: object[] = [];
  if (spread.length > 0) layer.push(spreadLayer(spread, panel, isCurve));
  layer.push({
    data: { values: points },
    mark: { type: 'line', strokeWidth: isCurve ? 1.5 : 2, clip: true },
    encoding: { ...position, color: scaleOf(panel, 'color'), strokeDash: scaleOf(panel, 'dash') },
  });
  if (seeds.length > 0) {
    layer.push({
      data: { values: seeds },
      mark: { type: 'tick', orient: 'horizontal', width: 9, thickness: 1.2, opacity: 1 },
      encoding: { ...position, color: scaleOf(panel, 'color') },
    });
  }
  layer.push({
    data: { values: isCurve ? marksOf(panel) : points },
    mark: { type: 'point', filled: true, size: isCurve ? 34 : 60, opacity: 1 },
    encoding: { ...position, color: scaleOf(panel, 'color'), shape: scaleOf(panel, 'shape') },
  });
  const title = { text: panel.title, subtitle: panel.subtitle };
  return { title, width: panelWidth, height: panelHeight, layer };
}

/**
 * About eight points of each curve, and one at least, the last of the first line among them; each line's lie elsewhere,
 * so that none hides another.
 */
function marksOf({ points, lines, y }: Panel): LinePoint[] {
  const marked = lines.flatMap(({ name }, index) => {
    // Counted from the end, whatever lies between two points: an epoch, or hundreds of steps.
    const curve = points.filter(({ line }) => line === name).sort((a, b) => b.x - a.x);
    const step = Math.max(1, Math.min(curve.length, Math.max(lines.length, Math.round(curve.length / 8))));
    const shift = Math.floor((index * step) / lines.length);
    return curve.filter((_, place) => place % step === shift);
  });
  const chosen = new Set(marked);
  return points.filter((point) => chosen.has(point) && point.y >= y.domain[0] && point.y <= y.domain[1]);
}

/** The seeds' range: a band behind a curve, a bar at a point. */
function spreadLayer(spread: LinePoint[], panel: Panel, isCurve: boolean): object {
  return {
    data: { values: spread },
    mark: isCurve ? { type: 'area', opacity: 0.16, clip: true } : { type: 'rule', strokeWidth: 1.2 },
    encoding: {
      x: { field: 'x', type: 'quantitative' },
      y: { field: 'low', type: 'quantitative' },
      y2: { field: 'high' },
      color: scaleOf(panel, 'color'),
    },
  };
}

/** Fixed for every line, so that it looks the same in all panels. */
function scaleOf({ lines }: Panel, channel: 'color' | 'shape' | 'dash'): object {
  return {
    field: 'line',
    type: 'nominal',
    scale: { domain: lines.map(({ name }) => name), range: lines.map((line) => line[channel]) },
    legend: null,
  };
}

function ends(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}
