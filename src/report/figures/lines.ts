/** The lines of figures: which one a cell belongs to, and how its seeds are described. */

import { mean } from '../../analysis/statistics.js';
import type { StudyCell, StudyRun } from '../../analysis/study.js';
import {
  count,
  hasSeveralGroupings,
  normalizerLabel,
  valueInWords,
  varyingPaths,
} from '../../experiments/label.js';

/** `BN`, with whatever else tells the study's cells apart. */
export function lineNames(cells: StudyCell[]): (cell: StudyCell) => string {
  const detailed = hasSeveralGroupings(cells);
  const paths = varyingPaths(cells);
  return (cell) => {
    const { setting } = cell;
    const name = normalizerLabel(setting, detailed && setting.normalizer === 'group');
    return [name, ...paths.map((path) => valueInWords(cell, path))].join(', ');
  };
}

/** The mean, and the smallest and largest where there are at least two. */
export function spreadOf(values: number[]): { y: number; low?: number; high?: number } {
  if (values.length < 2) return { y: mean(values) };
  return { y: mean(values), low: Math.min(...values), high: Math.max(...values) };
}

/**
 * The runs that a cell's curve is the mean of: the completed ones, or, as long as there are none, all that have begun.
 */
export function drawnRuns({ runs }: StudyCell): StudyRun[] {
  const completed = runs.filter(({ outcome }) => outcome === 'completed');
  return completed.length > 0 ? completed : runs.filter(({ rows }) => rows.length > 0);
}

/** `3 seeds`, `1 to 3 seeds`: how many there are of each of the lists that are not empty. */
export function seedsInWords(lists: readonly (readonly unknown[])[]): string {
  const counts = lists.map(({ length }) => length).filter((number) => number > 0);
  if (counts.length === 0) return 'no seed';
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? count(most, 'seed') : `${least} to ${count(most, 'seed')}`;
}

export function distinct<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}
