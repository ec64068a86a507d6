/** A table as Markdown, for reading in a terminal or on a code host. */

import { verdictInWords } from '../../analysis/verdict.js';
import { fixed, signed } from '../../terminal/number-format.js';
import type { TableModel, TableRow } from './model.js';
import { notesOf } from './notes.js';

export function markdownTable(model: TableModel): string {
  const { rows, baselineRows, contrasts } = model;
  const blocks = [`### ${model.title}`, captionOf(model)];
  if (model.matrix) blocks.push(matrixBlock(model.matrix));
  blocks.push(rowsBlock(rows, baselineRows));
  if (contrasts.length > 0) {
    blocks.push(
      'Differences in points, ours paired by seed with its 95 % t interval:',
      contrastsBlock(contrasts),
    );
  }
  blocks.push(...notesBlock(model), escapeCell(model.differences));
  return `${blocks.join('\n\n')}\n`;
}

/**
 * The same for a page that has a heading of its own: the paper's layout where there is one, without the single seeds, and
 * without differences that cannot be had yet.
 */
export function markdownSummary(model: TableModel): string {
  const { rows, baselineRows, contrasts, matrix } = model;
  const blocks = [captionOf(model), matrix ? matrixBlock(matrix) : rowsBlock(rows, baselineRows)];
  const had = contrasts.filter(({ verdict }) => verdict.outcome !== 'missing');
  if (had.length > 0) blocks.push(contrastsBlock(had));
  blocks.push(...notesBlock(model), escapeCell(model.differences));
  return `${blocks.join('\n\n')}\n`;
}

function notesBlock(model: TableModel): string[] {
  const notes = notesOf(model);
  return notes.length > 0 ? [notes.map((note) => `- ${escapeCell(note)}`).join('\n')] : [];
}

/** What the numbers are, in one sentence or two. */
export function captionOf({ source }: TableModel): string {
  const ours =
    'Validation error in %: the median of the last 5 epochs, mean ± standard deviation over the seeds that completed.';
  return source ? `${ours} Paper: ${source}.` : ours;
}

/** `13.30 ± 0.21`, `13.30`, or a dash. */
export function oursInWords(row: TableRow | undefined): string {
  if (row?.mean === undefined) return '–';
  return row.std === undefined ? fixed(row.mean, 2) : `${fixed(row.mean, 2)} ± ${fixed(row.std, 2)}`;
}

/** ` (1 of 3)`, behind the mean of a cell of whose planned seeds not all are done. */
export function partOfSeeds(row: TableRow | undefined): string {
  return row?.mean === undefined || row.values.length === row.planned ? '' : ` (${seedsDone(row)})`;
}

/** `3`, or `1 of 3`. */
export function seedsDone({ values, planned }: TableRow): string {
  return values.length === planned ? `${planned}` : `${values.length} of ${planned}`;
}

function matrixBlock({ batchSizes, lines }: NonNullable<TableModel['matrix']>): string {
  const header = ['batch size', ...batchSizes.map(String)];
  const body = lines.flatMap(({ label, published, ours }) => [
    [`${label}, paper`, ...published.map((value) => (value === undefined ? '–' : fixed(value, 1)))],
    [`**${label}, ours**`, ...ours.map((row) => oursInWords(row) + partOfSeeds(row))],
  ]);
  return grid(header, body, 1);
}

function rowsBlock(rows: TableRow[], baselineRows: TableRow[]): string {
  const withGap = rows.some(({ gap }) => gap !== undefined);
  const header = ['cell', 'paper', 'ours', ...(withGap ? ['ours − paper'] : []), 'seeds', 'each seed'];
  const line = (row: TableRow, label: string) => [
    label,
    row.published === undefined ? '–' : fixed(row.published, 1),
    oursInWords(row),
    ...(withGap ? [row.gap === undefined ? '–' : signed(row.gap, 2)] : []),
    seedsDone(row),
    row.values.map(({ error }) => fixed(error, 2)).join(', ') || '–',
  ];
  const body = [
    ...rows.map((row) => line(row, row.label)),
    ...baselineRows.map((row) => line(row, `${row.label} (for comparison)`)),
  ];
  return grid(header, body, 1, header.length - 1);
}

function contrastsBlock(contrasts: TableModel['contrasts']): string {
  const header = ['difference', 'paper', 'ours', '95 % interval', 'seeds', 'verdict'];
  const body = contrasts.map(({ label, published, ours, verdict }) => [
    label,
    published === undefined ? '–' : signed(published, 1),
    ours ? signed(ours.mean, 2) : '–',
    ours?.interval ? ours.interval.map((end) => signed(end, 2)).join(' to ') : '–',
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
