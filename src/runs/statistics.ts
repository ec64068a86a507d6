/** The statistics of a run's curves. */
import type { Config } from '../config/schema.js';
import { isDetectorName, isOverClips } from '../config/schema-model.js';
import { labelOf, type Metric, valueWithUnit } from '../tasks/metric.js';
import { type CurveRow, valColumn } from './curves.js';

/** A metric's values on the validation split; undefined where no epoch was evaluated. */
export interface MetricStatistics {
  /** The last evaluated epoch's. */
  final?: number;
  /**
   * Median of the last five evaluated epochs, or of as many as there are: the number the paper reports (section 4.1).
   */
  medianLast5?: number;
  best?: number;
}

export function metricStatistics(rows: readonly CurveRow[], { name, better }: Metric): MetricStatistics {
  const values = rows.flatMap((row) => row[valColumn(name)] ?? []);
  if (values.length === 0) return {};
  const isBetter = (value: number, best: number) => (better === 'lower' ? value < best : value > best);
  return {
    final: values[values.length - 1],
    medianLast5: median(values.slice(-5)),
    // NaN must not hide a number.
    best: values.reduce((best, value) => (isBetter(value, best) || Number.isNaN(best) ? value : best)),
  };
}

/**
 * The statistic that is a run's number in tables. Of images it is the median of the last five evaluated epochs, as in the
 * paper's section 4.1. Of clips and of a detector it is the last evaluation's, which judges the final model as the paper's
 * tables do: with all views of a video, and behind the last drop of the rate.
 */
export const reportedStatistic = (model: string): 'medianLast5' | 'final' =>
  isOverClips(model) || isDetectorName(model) ? 'final' : 'medianLast5';

/** `epochs`, or `evaluations` where these are not one an epoch. */
export const evaluationsOf = ({ evaluate, steps }: Pick<Config, 'evaluate' | 'steps'>): string =>
  evaluate.every > 1 || evaluate.everySteps !== undefined || steps !== undefined ? 'evaluations' : 'epochs';

/** A metric of the last evaluated epoch in words: `error 12.34 %`; undefined where no epoch was evaluated. */
export function lastInWords(rows: readonly CurveRow[], metric: Metric): string | undefined {
  const { final } = metricStatistics(rows, metric);
  return final === undefined ? undefined : `${labelOf(metric)} ${valueWithUnit(metric, final)}`;
}

/** The middle value, or the mean of the middle two; NaN when any value is, or when there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0 || values.some(Number.isNaN)) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
