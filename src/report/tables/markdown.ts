/** A table as Markdown, for reading in a terminal or on a code host. */

import { verdictInWords } from '../../analysis/verdict.js';
import { decimalsOf, differenceUnit, labelOf, type Metric } from '../../tasks/metric.js';
import { fixed, signed } from '../../terminal/number-format.js';
import type { TableModel, TableRow } from './model.js';
import { notesOf } from './notes.js';

export function markdownTable(model: TableModel): string {
  const { contrasts, metric } = model;
  const blocks = [`### ${escapeCell(model.title)}`, escapeCell(captionOf(model))];
  if (model.matrix) blocks.push(matrixBlock(model.matrix, metric));
  blocks.push(rowsBlock(model));
  if (contrasts.length > 0) {
    blocks.push(
      `Differences in ${escapeCell(differenceUnit(metric))}, ours paired by seed with its 95 % t interval:`,
      contrastsBlock(model),
    );
  }
  blocks.push(...notesBlock(model), escapeCell(model.differences));
  return `${blocks.join('\n\n')}\n`;
}

/**
 * The same for a page that has a heading of its own: the paper's layout where there is one, without the single seeds,
 * and without differences that cannot be had yet.
 */
export function markdownSummary(model: TableModel): string {
  const { contrasts, matrix, metric } = model;
  const blocks = [escapeCell(captionOf(model)), matrix ? matrixBlock(matrix, metric) : rowsBlock(model)];
  const had = contrasts.filter(({ verdict }) => verdict.outcome !== 'missing');
  if (had.length > 0) blocks.push(contrastsBlock({ contrasts: had, metric }));
  blocks.push(...notesBlock(model), escapeCell(model.differences));
  return `${blocks.join('\n\n')}\n`;
}

function notesBlock(model: TableModel): string[] {
  const notes = notesOf(model);
  return notes.length > 0 ? [notes.map((note) => `- ${escapeCell(note)}`).join('\n')] : [];
}

/** Says in one sentence or two what the numbers are. */
export function captionOf({ source, metric, statistic }: TableModel): string {
  const unit = metric.unit === '' ? '' : ` in ${metric.unit}`;
  const ours = `Validation ${labelOf(metric)}${unit}: ${statistic}, mean ± standard deviation over the seeds that completed.`;
  return source ? `${ours} Paper: ${source}.` : ours;
}

/** `13.30 ± 0.21`, `13.30`, or a dash. */
export function oursInWords(row: TableRow | undefined, metric: Metric): string {
  if (row?.mean === undefined) return '–';
  const decimals = decimalsOf(metric);
  const center = fixed(row.mean, decimals);
  return (row.std === undefined ? center : `${center} ± ${fixed(row.std, decimals)}`) + markOf(row);
}

/** ` (W)` or ` (some W)`, behind a value whose convolutions, or some seeds', are by Winograd's filtering. */
export function markOf({ winogradSeeds, values }: TableRow): string {
  if (winogradSeeds.length === 0) return '';
  return winogradSeeds.length === values.length ? ' (W)' : ' (some W)';
}

/** The same behind a seed's value, where the row's seeds differ. */
export function markOfSeed({ winogradSeeds, values }: TableRow, seed: number): string {
  return winogradSeeds.length < values.length && winogradSeeds.includes(seed) ? ' (W)' : '';
}

/** ` (1 of 3)`, behind the mean of a cell of whose planned seeds not all are done. */
export function partOfSeeds(row: TableRow | undefined): string {
  return row?.mean === undefined || row.values.length === row.planned ? '' : ` (${seedsDone(row)})`;
}

/** `3`, or `1 of 3`. */
export function seedsDone({ values, planned }: TableRow): string {
  return values.length === planned ? `${planned}` : `${values.length} of ${planned}`;
}

function matrixBlock({ batchSizes, lines }: NonNullable<TableModel['matrix']>, metric: Metric): string {
  const header = ['batch size', ...batchSizes.map(String)];
  const body = lines.flatMap(({ label, published, ours }) => [
    [
      `${label}, paper`,
      ...published.map((value) => (value === undefined ? '–' : fixed(value, decimalsOf(metric) - 1))),
    ],
    [`**${label}, ours**`, ...ours.map((row) => oursInWords(row, metric) + partOfSeeds(row))],
  ]);
  return grid(header, body, 1);
}

function rowsBlock({ rows, baselineRows, metric }: TableModel): string {
  const decimals = decimalsOf(metric);
  const withGap = rows.some(({ gap }) => gap !== undefined);
  const header = ['cell', 'paper', 'ours', ...(withGap ? ['ours − paper'] : []), 'seeds', 'each seed'];
  const line = (row: TableRow, label: string) => [
    label,
    row.published === undefined ? '–' : fixed(row.published, decimals - 1),
    oursInWords(row, metric),
    ...(withGap ? [row.gap === undefined ? '–' : signed(row.gap, decimals)] : []),
    seedsDone(row),
    row.values.map(({ seed, value }) => fixed(value, decimals) + markOfSeed(row, seed)).join(', ') || '–',
  ];
  const body = [
    ...rows.map((row) => line(row, row.label)),
    ...baselineRows.map((row) => line(row, `${row.label} (for comparison)`)),
  ];
  return grid(header, body, 1, header.length - 1);
}

function contrastsBlock({ contrasts, metric }: Pick<TableModel, 'contrasts' | 'metric'>): string {
  const decimals = decimalsOf(metric);
  const header = ['difference', 'paper', 'ours', '95 % interval', 'seeds', 'verdict'];
  const body = contrasts.map(({ label, published, ours, verdict }) => [
    label,
    published === undefined ? '–' : signed(published, decimals - 1),
    ours ? signed(ours.mean, decimals) : '–',
    ours?.interval ? ours.interval.map((end) => signed(end, decimals)).join(' to ') : '–',
    String(ours?.n ?? 0),
    verdictInWords(verdict),
  ]);
  return grid(header, body, 1, 5);
}

/** A pipe table; columns from `numbers` on to before `words` are right-aligned. */
function grid(header: string[], body: string[][], numbers: number, words = header.length): string {
  const line = (cells: string[]) => `| ${cells.map(escapeCell).join(' | ')} |`;
  const rule = header.map((_, index) => (index >= numbers && index < words ? '---:' : '---'));
  return [line(header), `|${rule.join('|')}|`, ...body.map(line)].join('\n');
}

/** A pipe or a line break in a name must not break the table, nor a bracket begin HTML. */
function escapeCell(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[|<]/g, (character) => (character === '|' ? '\\|' : '&lt;'));
}
