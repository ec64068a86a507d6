/** What a table has to say about cells and runs that are not in its numbers. */
import { fixed } from './number-format.js';
import type { TableModel } from './table-model.js';

/** A sentence each: what this model cannot do, runs that do not count, and runs of no cell. */
export function notesOf({ notPossible, rows, baselineRows, strays, winograd }: TableModel): string[] {
  return [
    ...notPossible.map(
      ({ label, why, published }) =>
        `Not possible: ${label}, ${why}${published === undefined ? '' : ` (paper: ${fixed(published, 1)})`}.`,
    ),
    ...[...rows, ...baselineRows].flatMap(({ remarks }) =>
      remarks.map((remark) => `Not counted: ${remark}.`),
    ),
    ...convolutionsNote(winograd),
    ...strays.map((path) => `Not counted: ${path} is of no cell of this experiment.`),
  ];
}

/** Rounding tells the two kinds apart, nothing else; but a table that mixes them says so. */
function convolutionsNote({ runs, of }: TableModel['winograd']): string[] {
  if (runs.length === 0) return [];
  const which = runs.length === of ? 'all runs' : runs.join('; ');
  return [`Convolutions by Winograd’s filtering: ${which}.`];
}
