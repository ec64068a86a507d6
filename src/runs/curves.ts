/** A run's curves: `curves.csv`, a row an epoch (or every so many steps, `evaluate.everySteps`), and `steps.csv`, a row every k steps. */
import { UserError } from '../errors.js';
import { type RowFormat, readRows } from '../storage/row-format.js';
import { type ResumePoint, RowLog } from '../storage/row-log.js';
import { classificationMeasures, loggedNames, type Measured } from '../tasks/metric.js';

/** An epoch, or so many steps. `train_…` are means over its augmented images; `val_…` are missing where it was not evaluated. */
export interface CurveRow {
  /** The epoch that it ends in, from 1. */
  epoch: number;
  /** Steps done since the run's start. */
  step: number;
  /** Training images seen since the run's start. */
  images: number;
  /** The rate of its last step. */
  learning_rate: number;
  /** The sum of the task's losses, without weight decay. */
  train_loss: number;
  [column: `train_${string}` | `val_${string}`]: number | undefined;
  images_per_second: number;
  /** Since the run's start, summed over resumes. */
  seconds: number;
}

/** One step: the sum of its losses, and a column for each further number that the task logs. */
export interface StepRow {
  step: number;
  epoch: number;
  learning_rate: number;
  loss: number;
  [logged: string]: number;
}

const before = ['epoch', 'step', 'images', 'learning_rate', 'train_loss'];
const behind = ['images_per_second', 'seconds'];

/** The header of `curves.csv` for a task that logs and is judged by these. */
export const curveColumns = (measured: Measured): string[] => [
  ...before,
  ...loggedNames(measured).map(trainColumn),
  'val_loss',
  ...measured.metrics.map(({ name }) => valColumn(name)),
  ...behind,
];

export const trainColumn = (name: string): `train_${string}` => `train_${name}`;
export const valColumn = (name: string): `val_${string}` => `val_${name}`;

const curveFormat = (columns: string[]): RowFormat => ({
  columns,
  whole: ['epoch', 'step', 'images'],
  optional: columns.filter((column) => column.startsWith('val_')),
  syncRows: true,
});

// A sync costs as much as a step at batch 2, so these rows are made durable with the checkpoint: call `sync` before it.
const stepFormat = (columns: string[]): RowFormat => ({
  columns,
  whole: ['step', 'epoch'],
  optional: [],
  syncRows: false,
});

const beforeInStep = ['step', 'epoch', 'learning_rate', 'loss'];
const stepColumns = (measured: Measured): string[] => [...beforeInStep, ...loggedNames(measured)];

/** `curves.csv`, open for writing: every row is on disk when `append` returns. */
export class CurvesLog {
  private constructor(
    private readonly log: RowLog<CurveRow>,
    /** All rows of the run so far. */
    readonly rows: CurveRow[],
  ) {}

  /**
   * A new file, or with a point the existing one: what lies beyond is moved to `curves.dropped.csv`. Throws UserError,
   * also when there are fewer than `leastRows`: a run that goes on without its first epochs has no curve.
   */
  static open(
    file: string,
    point: ResumePoint & { leastRows?: number } = {},
    measured = classificationMeasures,
  ): CurvesLog {
    const { log, rows } = RowLog.open<CurveRow>(file, curveFormat(curveColumns(measured)), point);
    if (rows.length < (point.leastRows ?? 0)) {
      log.close();
      throw new UserError(
        `${rows.length} epochs are there, and the checkpoint is of one after ${point.leastRows}`,
        {
          place: file,
          fix: 'restore the file, or start the run over with --force',
        },
      );
    }
    return new CurvesLog(log, rows);
  }

  append(row: CurveRow): void {
    this.log.append(row);
    this.rows.push(row);
  }

  close(): void {
    this.log.close();
  }
}

/** `steps.csv`, open for writing. Call `sync` before a checkpoint is saved. Throws UserError. */
export function openStepsLog(
  file: string,
  point: ResumePoint = {},
  measured = classificationMeasures,
): RowLog<StepRow> {
  return RowLog.open<StepRow>(file, stepFormat(stepColumns(measured)), point).log;
}

/**
 * The whole rows of a `curves.csv` of any task; a torn last one is left out. Throws UserError for another header or a
 * broken row.
 */
export function readCurves(file: string): CurveRow[] {
  const rows = readRows(file, (header) => {
    const middle = header.slice(before.length, -behind.length);
    const known =
      header.slice(0, before.length).join() === before.join() &&
      header.slice(-behind.length).join() === behind.join() &&
      new Set(header).size === header.length &&
      middle.every((column) => /^(train|val)_\w+$/.test(column));
    return curveFormat(known ? header : curveColumns(classificationMeasures));
  });
  return rows as unknown as CurveRow[];
}

/** The whole rows of a `steps.csv` of any task. Throws UserError. */
export function readSteps(file: string): StepRow[] {
  const rows = readRows(file, (header) => {
    const known = header.slice(0, beforeInStep.length).join() === beforeInStep.join();
    return stepFormat(known ? header : stepColumns(classificationMeasures));
  });
  return rows as unknown as StepRow[];
}
