import { stringify } from 'csv-stringify/sync';
import { columns } from '../terminal/columns.js';
import { profileCsv, profileText } from './render-profile.js';
import type { BenchRow } from './row.js';

/** Prints rows as an aligned table, as CSV or as JSON. */
export function renderRows(rows: BenchRow[], format: 'table' | 'csv' | 'json'): string {
  if (format === 'json') return `${JSON.stringify(rows, null, 2)}\n`;
  const cells = rows.map((row) => ({
    model: row.model,
    resolution: String(row.resolution),
    classes: String(row.classes),
    parameters: String(row.parameters),
    normalizer: row.normalizer,
    batch: row.workers === 1 ? String(row.batch) : `${row.workers}×${row.batch}`,
    precision: row.precision,
    convolutions: row.convolutions,
    threads: `${row.threads.intraOp}/${row.threads.interOp}`,
    'images/s': row.imagesPerSecond.toFixed(0),
    'step ms': row.stepMs.median.toFixed(2),
    q1: row.stepMs.q1.toFixed(2),
    q3: row.stepMs.q3.toFixed(2),
    'of floor': row.shareOfFloor === undefined ? '' : `${(100 * row.shareOfFloor).toFixed(0)} %`,
    'compile s': row.compileSeconds.toFixed(2),
    'peak MB': row.peakMemoryMB.toFixed(0),
  }));
  const table = [Object.keys(cells[0]), ...cells.map((cell) => Object.values(cell))];
  const profiled = rows.filter((row) => row.profile);
  if (format === 'csv') return stringify(profiled.length > 0 ? profiled.flatMap(profileCsv) : table);
  const everyColumn = table[0].map((_, column) => column);
  return `${[columns(table, everyColumn), ...profiled.map(profileText)].join('\n\n')}\n`;
}
