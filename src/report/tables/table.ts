/** An experiment's table in each of its formats; the same files give the same bytes. */
import type { Study } from '../../analysis/study.js';
import { tidyTable, wideTable } from './csv.js';
import { latexTable } from './latex.js';
import { markdownTable } from './markdown.js';
import { tableModel } from './model.js';

export const tableFormats = ['markdown', 'csv', 'wide', 'latex', 'json'] as const;
export type TableFormat = (typeof tableFormats)[number];

/** `csv` is tidy, a row a run; `wide` is CSV with a row a cell. Ends with a line break. */
export function renderTable(study: Study, format: TableFormat): string {
  switch (format) {
    case 'csv':
      return tidyTable(study);
    case 'wide':
      return wideTable(study);
    case 'latex':
      return latexTable(tableModel(study));
    case 'json':
      return `${JSON.stringify(tableModel(study), null, 2)}\n`;
    case 'markdown':
      return markdownTable(tableModel(study));
  }
}
