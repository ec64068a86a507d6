/**
 * A CSV file that grows by whole rows: each is one write and one sync, so a run that is killed at any moment leaves at
 * most one torn row, the last. A resumed run takes the file up at its checkpoint; what is torn or lies beyond it is
 * moved to `<name>.dropped.csv` beside, never just deleted.
 */
import { dirname } from 'node:path';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { UserError } from '../errors.js';
import {
  diskFileSystem,
  type FileSystem,
  fileError,
  syncFolder,
  writeAll,
  writeWhole,
} from './file-system.js';

/** A log's columns, all of them numbers; `whole` ones are counts, `optional` ones may be empty. */
export interface RowFormat {
  columns: readonly string[];
  whole: readonly string[];
  optional: readonly string[];
  /** Sync after every row; else only when asked by `sync`. */
  syncRows: boolean;
}

/** Where a resumed run takes the log up. */
export interface ResumePoint {
  /** Steps done; rows of later ones are set aside. */
  resumeAtStep?: number;
}

type Numbers = Record<string, number | undefined>;

export class RowLog<Row extends { step: number }> {
  /** How many rows the file holds now. */
  count: number;
  private handle: number | undefined;

  private constructor(
    readonly file: string,
    private readonly format: RowFormat,
    private readonly files: FileSystem,
    rows: number,
  ) {
    this.count = rows;
    this.handle = files.open(file, 'append');
  }

  /**
   * Creates the file with its header, or takes an existing one up at `point`; returns the rows it then holds.
   * Throws UserError for a file that exists (without a point), has another header or a broken row before its last.
   */
  static open<Row extends { step: number }>(
    file: string,
    format: RowFormat,
    point: ResumePoint = {},
    files: FileSystem = diskFileSystem,
  ): { log: RowLog<Row>; rows: Row[] } {
    try {
      const rows =
        point.resumeAtStep === undefined ? undefined : takeUp(file, format, point.resumeAtStep, files);
      if (!rows) {
        writeWhole(files, file, [line(format.columns)]);
        syncFolder(files, dirname(file));
      }
      const log = new RowLog<Row>(file, format, files, rows?.length ?? 0);
      return { log, rows: (rows ?? []) as unknown as Row[] };
    } catch (error) {
      throw fileError(error, 'could not open the log', file);
    }
  }

  /** Adds a row. When this throws, the row may be torn: the next resume drops it. */
  append(row: Row): void {
    if (this.handle === undefined) throw new Error(`${this.file} is closed`);
    const values = row as unknown as Numbers;
    const cells = this.format.columns.map((column) => values[column]?.toString() ?? '');
    try {
      writeAll(this.files, this.handle, line(cells));
      if (this.format.syncRows) this.files.sync(this.handle);
    } catch (error) {
      throw fileError(error, `could not write the row of step ${row.step}`, this.file);
    }
    this.count++;
  }

  /** Makes the rows so far durable, where appending alone does not. */
  sync(): void {
    if (this.handle === undefined) return;
    try {
      this.files.sync(this.handle);
    } catch (error) {
      throw fileError(error, 'could not write the log', this.file);
    }
  }

  close(): void {
    if (this.handle === undefined) return;
    this.files.close(this.handle);
    this.handle = undefined;
  }
}

/** The whole rows of a log; a torn last one is left out. Throws UserError for another header or a broken row. */
export function readRows(file: string, format: RowFormat, files: FileSystem = diskFileSystem): Numbers[] {
  try {
    return parseRows(files.read(file), file, format).rows;
  } catch (error) {
    throw fileError(error, 'could not read the log', file, 2);
  }
}

interface Parsed {
  rows: Numbers[];
  /** `ends[i]` is the byte behind row i − 1's line; `ends[0]` is the byte behind the header. */
  ends: number[];
  size: number;
}

function parseRows(bytes: Uint8Array, file: string, format: RowFormat): Parsed {
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

/** Moves what lies beyond the point aside and returns the rows before it; undefined when there is no log to take up. */
function takeUp(
  file: string,
  format: RowFormat,
  resumeAtStep: number,
  files: FileSystem,
): Numbers[] | undefined {
  let bytes: Uint8Array;
  try {
    bytes = files.read(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const header = line(format.columns);
  if (bytes.length < header.length && header.subarray(0, bytes.length).equals(bytes)) {
    // Killed while it was created.
    files.remove(file);
    return undefined;
  }
  const { rows, ends, size } = parseRows(bytes, file, format);
  const beyond = rows.findIndex((row) => row.step! > resumeAtStep);
  const kept = beyond < 0 ? rows : rows.slice(0, beyond);
  const end = ends[kept.length];
  if (end < size) {
    setAside(file, format, bytes.subarray(end), files);
    const handle = files.open(file, 'append');
    try {
      files.truncate(handle, end);
      files.sync(handle);
    } finally {
      files.close(handle);
    }
  }
  return kept;
}

/** Before the log is cut, so that a crash between the two leaves the rows twice rather than nowhere. */
function setAside(file: string, format: RowFormat, dropped: Uint8Array, files: FileSystem): void {
  const aside = file.replace(/(\.csv)?$/, '.dropped.csv');
  const parts = [dropped];
  if (dropped[dropped.length - 1] !== 10) parts.push(Buffer.from('\n'));
  let exists = true;
  try {
    exists = files.read(aside).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    exists = false;
  }
  writeWhole(files, aside, exists ? parts : [line(format.columns), ...parts], 'append');
}

function line(cells: readonly string[]): Buffer {
  return Buffer.from(stringify([[...cells]]));
}
