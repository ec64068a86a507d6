/** How a log's rows stand in its CSV file. */
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { UserError } from '../errors.js';
import { diskFileSystem, type FileSystem } from './files.js';
import { fileError } from './system-errors.js';

/** A log's columns, all of them numbers; `whole` ones are counts, `optional` ones may be empty. */
export interface RowFormat {
  columns: readonly string[];
  whole: readonly string[];
  optional: readonly string[];
  /** Sync after every row; else only when asked by `sync`. */
  syncRows: boolean;
}

export type Numbers = Record<string, number | undefined>;

/** A row's bytes. */
export function line(cells: readonly string[]): Buffer {
  return Buffer.from(stringify([[...cells]]));
}

/**
 * The whole rows of a log; a torn last one is left out. Throws UserError for another header or a broken row.
 *
 * @param formatFor the format to read a file with this header by
 */
export function readRows(
  file: string,
  formatFor: (header: string[]) => RowFormat,
  files: FileSystem = diskFileSystem,
): Numbers[] {
  try {
    const bytes = files.read(file);
    const [header] = Buffer.from(bytes.subarray(0, 10_000)).toString().split(/\r?\n/, 1);
    return parseRows(bytes, file, formatFor(header.replace(/^\uFEFF/, '').split(','))).rows;
  } catch (error) {
    throw fileError(error, 'could not read the log', file, { exitCode: 2 });
  }
}

export interface Parsed {
  rows: Numbers[];
  /** `ends[i]` is the byte behind row i − 1's line; `ends[0]` is the byte behind the header. */
  ends: number[];
  size: number;
}

export function parseRows(bytes: Uint8Array, file: string, format: RowFormat): Parsed {
  const newline = 10;
  const whole = bytes.lastIndexOf(newline) + 1;
  // Cells are numbers: without quoting, a record is a line, and a stray quote cannot swallow the lines behind it.
  const lines: string[][] = parse(Buffer.from(bytes.buffer, bytes.byteOffset, whole), {
    bom: true,
    quote: false,
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n'],
  });
  const ends: number[] = [];
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) ends.push(at + 1);
  if (lines.length === 0 || lines[0].join() !== format.columns.join()) {
    throw new UserError(`the header is not "${format.columns.join()}"`, {
      place: `${file}:1`,
      fix: 'it was written by another version or program; move it away',
    });
  }
  const rows: Numbers[] = [];
  for (let index = 1; index < lines.length; index++) {
    const row = parseRow(lines[index], format);
    const wrong =
      typeof row === 'string'
        ? row
        : rows.length > 0 && row.step! <= rows[rows.length - 1].step!
          ? `step ${row.step} does not come after step ${rows[rows.length - 1].step}`
          : undefined;
    if (wrong !== undefined) {
      // A lost sector at the end looks like a torn row with a line end.
      if (index === lines.length - 1 && typeof row === 'string') break;
      throw new UserError(wrong, {
        place: `${file}:${index + 1}`,
        fix: 'restore the file, or delete the row',
      });
    }
    rows.push(row as Numbers);
  }
  return { rows, ends: ends.slice(0, rows.length + 1), size: bytes.length };
}

/** The row, or what is wrong with it. */
function parseRow(cells: string[], format: RowFormat): Numbers | string {
  if (cells.length !== format.columns.length) return `${cells.length} cells, not ${format.columns.length}`;
  const row: Numbers = {};
  for (const [index, column] of format.columns.entries()) {
    const cell = cells[index];
    if (cell === '' && format.optional.includes(column)) continue;
    if (!/^(-?\d+(\.\d+)?(e[+-]?\d+)?|NaN|-?Infinity)$/.test(cell)) {
      return `${column} is ${JSON.stringify(cell.slice(0, 40))}, not a number`;
    }
    row[column] = Number(cell);
    if (format.whole.includes(column) && !(Number.isSafeInteger(row[column]) && row[column]! >= 0)) {
      return `${column} is ${cell.slice(0, 40)}, not a count`;
    }
  }
  return row;
}
