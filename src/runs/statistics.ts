/** What a run's curves come to. */
import type { CurveRow } from './curves.js';

/** Validation error in percent; undefined where no epoch was evaluated. */
export interface ErrorStatistics {
  /** Of the last evaluated epoch. */
  final?: number;
  /** Median of the last five evaluated epochs, or of as many as there are: the number the paper reports (section 4.1). */
  medianLast5?: number;
  best?: number;
}

export function validationError(rows: readonly CurveRow[]): ErrorStatistics {
  const errors = rows.flatMap((row) => row.val_error ?? []);
  if (errors.length === 0) return {};
  return {
    final: errors[errors.length - 1],
    medianLast5: median(errors.slice(-5)),
    // NaN must not hide a number.
    best: errors.reduce((best, error) => (error < best || Number.isNaN(best) ? error : best)),
  };
}

/** The middle value, or the mean of the middle two; NaN when any value is, or when there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0 || values.some(Number.isNaN)) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
