/**
 * A CSV file that grows by whole rows: each is one write and one sync, so a run that is killed at any moment leaves at
 * most one torn row, the last. A resumed run takes the file up at its checkpoint; what is torn or lies beyond it is
 * moved to `<name>.dropped.csv` beside, never just deleted.
 */
import { dirname } from 'node:path';
import { diskFileSystem, type FileSystem, syncFolder, writeAll, writeWhole } from './files.js';
import { line, type Numbers, parseRows, type RowFormat } from './row-format.js';
import { fileError } from './system-errors.js';

/** The point at which a resumed run continues the log. */
export interface ResumePoint {
  /** Steps done; rows of later ones are set aside. */
  resumeAtStep?: number;
}

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
