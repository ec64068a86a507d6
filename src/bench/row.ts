/** Measured settings, and the table of them. */
import type { ProfileRow } from './profile.js';

/** One measured setting. */
export interface BenchRow {
  model: string;
  /** Height and width of an image. */
  resolution: number;
  classes: number;
  /** The number of trained numbers. */
  parameters: number;
  normalizer: string;
  /** Images a worker; a step has batch · workers of them. */
  batch: number;
  workers: number;
  precision: string;
  convolutions: string;
  threads: { intraOp: number; interOp: number };
  imagesPerSecond: number;
  stepMs: { median: number; q1: number; q3: number };
  /** Measured ones, after the warm-up. */
  steps: number;
  /** Loading the engine; tracing, loading the graph and its first run. */
  loadSeconds: number;
  compileSeconds: number;
  peakMemoryMB: number;
  /** images/s ÷ those of the same model without normalizers; missing where that was not measured. */
  shareOfFloor?: number;
  /** The parts that the step's time goes to, if that was asked for. */
  profile?: ProfileRow[];
}

/** Adds each row's share of the same setting without normalizers. */
export function withFloor(rows: BenchRow[]): BenchRow[] {
  const same = (a: BenchRow, b: BenchRow) =>
    a.batch === b.batch &&
    a.precision === b.precision &&
    a.convolutions === b.convolutions &&
    a.workers === b.workers;
  return rows.map((row) => {
    const floor = rows.find((other) => other.normalizer === 'none' && same(row, other));
    return floor ? { ...row, shareOfFloor: row.imagesPerSecond / floor.imagesPerSecond } : row;
  });
}
