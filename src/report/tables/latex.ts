/** A table as LaTeX (booktabs), to paste into a paper. */

import { verdictInWords } from '../../analysis/verdict.js';
import { decimalsOf, differenceUnit, type Metric } from '../../tasks/metric.js';
import { fixed, signed } from '../../terminal/number-format.js';
import { captionOf, markOf, partOfSeeds, seedsDone } from './markdown.js';
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
    ...(model.matrix ? matrixLines(model.matrix, model.metric) : rowLines(rows, model.metric)),
    '\\end{table}',
    ...contrastLines(model),
  ];
  return `${parts.join('\n')}\n`;
}

function matrixLines({ batchSizes, lines }: NonNullable<TableModel['matrix']>, metric: Metric): string[] {
  return tabular(
    `l${'r'.repeat(batchSizes.length)}`,
    ['batch size', ...batchSizes.map(String)],
    [
      ...lines.flatMap(({ label, published, ours }) => [
        [
          `${escapeLatex(label)}, paper`,
          ...published.map((value) => (value === undefined ? '--' : fixed(value, decimalsOf(metric) - 1))),
        ],
        [`${escapeLatex(label)}, ours`, ...ours.map((row) => oursInLatex(row, metric) + partOfSeeds(row))],
      ]),
    ],
  );
}

function rowLines(rows: TableRow[], metric: Metric): string[] {
  return tabular(
    'lrrr',
    ['cell', 'paper', 'ours', 'seeds'],
    rows.map((row) => [
      escapeLatex(row.label),
      row.published === undefined ? '--' : fixed(row.published, decimalsOf(metric) - 1),
      oursInLatex(row, metric),
      seedsDone(row),
    ]),
  );
}

function contrastLines({ contrasts, name, title, metric }: TableModel): string[] {
  if (contrasts.length === 0) return [];
  const decimals = decimalsOf(metric);
  const body = contrasts.map(({ label, published, ours, verdict }) => [
    escapeLatex(label),
    published === undefined ? '--' : math(published, decimals - 1),
    ours ? math(ours.mean, decimals) : '--',
    ours?.interval ? `[${ours.interval.map((end) => math(end, decimals)).join(', ')}]` : '--',
    String(ours?.n ?? 0),
    verdictInWords(verdict),
  ]);
  return [
    '\\begin{table}',
    '\\centering',
    `\\caption{${escapeLatex(title)}: differences in ${differenceUnit(metric)}, ours paired by seed with 95\\,\\% $t$ interval.}`,
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

function oursInLatex(row: TableRow | undefined, metric: Metric): string {
  if (row?.mean === undefined) return '--';
  const decimals = decimalsOf(metric);
  const center = fixed(row.mean, decimals);
  return (row.std === undefined ? center : `$${center} \\pm ${fixed(row.std, decimals)}$`) + markOf(row);
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
