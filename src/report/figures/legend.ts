/**
 * A legend that shows each line as it is drawn, dashes and points together. Vega-Lite's own shows a symbol only, and a
 * dashed outline around it.
 */
import type { LineStyle } from './style.js';

const entryHeight = 20;
const strokeLength = 34;
/** Generous for 11 px in any of the fonts. */
const letterWidth = 6.6;

/** The width of a legend on one row, in pixels. */
export function legendWidth(lines: readonly LineStyle[], title: string): number {
  return lines.reduce((sum, line) => sum + entryWidth(line), titleWidth(title));
}

const titleWidth = (title: string) => (title === '' ? 0 : title.length * letterWidth + 12);
const entryWidth = ({ name }: LineStyle) => strokeLength + 8 + name.length * letterWidth + 16;

/** A view of the given width, in pixels, with as many rows as the entries need. */
export function legendSpec(lines: readonly LineStyle[], title: string, width: number): object {
  const entries: { x: number; row: number; line: LineStyle }[] = [];
  let x = titleWidth(title);
  let row = 0;
  for (const line of lines) {
    if (x > 0 && x + entryWidth(line) > width) {
      x = 0;
      row++;
    }
    entries.push({ x, row, line });
    x += entryWidth(line);
  }
  const position = {
    x: { field: 'x', type: 'quantitative', axis: null, scale: { domain: [0, width], nice: false } },
    y: {
      field: 'row',
      type: 'quantitative',
      axis: null,
      scale: { domain: [-0.5, row + 0.5], reverse: true },
    },
  };
  const label = { type: 'text', align: 'left', baseline: 'middle', fontSize: 11, color: '#222' };
  const layer: object[] = entries.flatMap(({ x, row, line }) => [
    {
      data: { values: [{ x, row, end: x + strokeLength }] },
      mark: { type: 'rule', color: line.color, strokeDash: line.dash, strokeWidth: 2 },
      encoding: { ...position, x2: { field: 'end' } },
    },
    {
      data: { values: [{ x: x + strokeLength / 2, row }] },
      mark: { type: 'point', filled: true, opacity: 1, size: 60, shape: line.shape, color: line.color },
      encoding: position,
    },
    {
      data: { values: [{ x: x + strokeLength + 8, row }] },
      mark: { ...label, text: line.name },
      encoding: position,
    },
  ]);
  if (title !== '') {
    layer.push({ data: { values: [{ x: 0, row: 0 }] }, mark: { ...label, text: title }, encoding: position });
  }
  return { width, height: entryHeight * (row + 1), layer };
}
