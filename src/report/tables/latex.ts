/** A table as LaTeX (booktabs), to paste into a paper. */

import { verdictInWords } from '../../analysis/verdict.js';
import { fixed, signed } from '../../terminal/number-format.js';
import { captionOf, partOfSeeds, seedsDone } from './markdown.js';
import type { TableModel, TableRow } from './model.js';
import { notesOf } from './notes.js';

export function latexTable(model: TableModel): string {
  const rows = [...model.rows, ...model.baselineRows];
  const parts = [
    '% \\usepackage{booktabs}',
    '\\begin{table}',
    '\\centering',
    `\\caption{${escapeLatex([`${model.title}.`, captionOf(model), ...notesOf(model), model.differences].join(' '))}}`,
    `\\label{tab:${model.name}}`,
    ...(model.matrix ? matrixLines(model.matrix) : rowLines(rows)),
    '\\end{table}',
    ...contrastLines(model),
  ];
  return `${parts.join('\n')}\n`;
}

function matrixLines({ batchSizes, lines }: NonNullable<TableModel['matrix']>): string[] {
  return tabular(
    `l${'r'.repeat(batchSizes.length)}`,
    ['batch size', ...batchSizes.map(String)],
    [
      ...lines.flatMap(({ label, published, ours }) => [
        [
          `${escapeLatex(label)}, paper`,
          ...published.map((value) => (value === undefined ? '--' : fixed(value, 1))),
        ],
        [`${escapeLatex(label)}, ours`, ...ours.map((row) => oursInLatex(row) + partOfSeeds(row))],
      ]),
    ],
  );
}

function rowLines(rows: TableRow[]): string[] {
  return tabular(
    'lrrr',
    ['cell', 'paper', 'ours', 'seeds'],
    rows.map((row) => [
      escapeLatex(row.label),
      row.published === undefined ? '--' : fixed(row.published, 1),
      oursInLatex(row),
      seedsDone(row),
    ]),
  );
}

function contrastLines({ contrasts, name, title }: TableModel): string[] {
  if (contrasts.length === 0) return [];
  const body = contrasts.map(({ label, published, ours, verdict }) => [
    escapeLatex(label),
    published === undefined ? '--' : math(published, 1),
    ours ? math(ours.mean, 2) : '--',
    ours?.interval ? `[${ours.interval.map((end) => math(end, 2)).join(', ')}]` : '--',
    String(ours?.n ?? 0),
    verdictInWords(verdict),
  ]);
  return [
    '\\begin{table}',
    '\\centering',
    `\\caption{${escapeLatex(title)}: differences in points, ours paired by seed with 95\\,\\% $t$ interval.}`,
    `\\label{tab:${name}-differences}`,
    ...tabular('lrrrrl', ['difference', 'paper', 'ours', 'interval', 'seeds', 'verdict'], body),
    '\\end{table}',
  ];
}

function tabular(columns: string, header: string[], body: string[][]): string[] {
  const line = (cells: string[]) => `${cells.join(' & ')} \\\\`;
  return [
    `\\begin{tabular}{${columns}}`,
    '\\toprule',
    line(header),
    '\\midrule',
    ...body.map(line),
    '\\bottomrule',
    '\\end{tabular}',
  ];
}

function oursInLatex(row: TableRow | undefined): string {
  if (row?.mean === undefined) return '--';
  return row.std === undefined ? fixed(row.mean, 2) : `$${fixed(row.mean, 2)} \\pm ${fixed(row.std, 2)}$`;
}

function math(value: number, decimals: number): string {
  return `$${signed(value, decimals).replace('−', '-')}$`;
}

const replacements: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '−': '$-$',
  '±': '$\\pm$',
  '÷': '$\\div$',
  '×': '$\\times$',
  '–': '--',
  '’': "'",
};

function escapeLatex(text: string): string {
  return text.replace(/[\\~^−±÷×–’]|[&%$#_{}]/g, (character) => replacements[character] ?? `\\${character}`);
}
