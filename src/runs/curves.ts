/** A run's curves: `curves.csv`, a row an epoch, and `steps.csv`, a row every k steps. */
import { UserError } from '../errors.js';
import { readRows } from '../storage/row-format.js';
import { type ResumePoint, RowLog } from '../storage/row-log.js';

/** One epoch. Losses are cross-entropies without weight decay, errors are in percent. */
export interface CurveRow {
  /** From 1. */
  epoch: number;
  /** Steps done since the run's start. */
  step: number;
  /** Training images seen since the run's start. */
  images: number;
  /** Of the epoch's last step. */
  learning_rate: number;
  /** Mean over the epoch's augmented images. */
  train_loss: number;
  train_error: number;
  /** Missing in an epoch that was not evaluated. */
  val_loss?: number;
  val_error?: number;
  images_per_second: number;
  /** Since the run's start, summed over resumes. */
  seconds: number;
}

/** One step. */
export interface StepRow {
  step: number;
  epoch: number;
  learning_rate: number;
  /** Of this step's images. */
  loss: number;
  error: number;
}

export const curveColumns = [
  'epoch',
  'step',
  'images',
  'learning_rate',
  'train_loss',
  'train_error',
  'val_loss',
  'val_error',
  'images_per_second',
  'seconds',
] as const satisfies (keyof CurveRow)[];

export const stepColumns = [
  'step',
  'epoch',
  'learning_rate',
  'loss',
  'error',
] as const satisfies (keyof StepRow)[];

const curveFormat = {
  columns: curveColumns,
  whole: ['epoch', 'step', 'images'],
  optional: ['val_loss', 'val_error'],
  syncRows: true,
};

// A sync costs as much as a step at batch 2, so these rows are made durable with the checkpoint: call `sync` before it.
const stepFormat = { columns: stepColumns, whole: ['step', 'epoch'], optional: [], syncRows: false };

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
  static async open(file: string, point: ResumePoint & { leastRows?: number } = {}): Promise<CurvesLog> {
    const { log, rows } = RowLog.open<CurveRow>(file, curveFormat, point);
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

  async append(row: CurveRow): Promise<void> {
    this.log.append(row);
    this.rows.push(row);
  }

  close(): void {
    this.log.close();
  }
}

/** `steps.csv`, open for writing. Call `sync` before a checkpoint is saved. Throws UserError. */
export function openStepsLog(file: string, point: ResumePoint = {}): RowLog<StepRow> {
  return RowLog.open<StepRow>(file, stepFormat, point).log;
}

/** The whole rows of a `curves.csv`; a torn last one is left out. Throws UserError for another header or a broken row. */
export function readCurves(file: string): CurveRow[] {
  return readRows(file, curveFormat) as unknown as CurveRow[];
}

/** The whole rows of a `steps.csv`. Throws UserError. */
export function readSteps(file: string): StepRow[] {
  return readRows(file, stepFormat) as unknown as StepRow[];
}
