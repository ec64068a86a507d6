/**
 * The rule by which an experiment agrees with the paper, and nothing else.
 *
 * Other data and another model have other errors, so only differences between cells are compared: the paper's
 * `published` (points of validation error), and ours, the mean over seeds with its 95 % t interval. *About equal* is a
 * difference of at most the metric's `aboutEqual`: 0.5 points of error, the size that the paper itself calls comparable
 * (GN against BN, Table 1). The rule only asks for signs and sizes, so it serves metrics that are better high, too.
 *
 * 1. `diverged`: a run of one of the cells diverged; the mean of the others would flatter it.
 * 2. `missing`: one of the cells has no completed run.
 * 3. `too few seeds`: fewer than two seeds completed in all of the cells, so there is no interval. Never said else.
 * 4. The paper's difference is more than about equal: two answers.
 *    - The direction `agrees` when the interval lies wholly on the paper's side of zero, is `opposite` when it lies
 *      wholly on the other side, and is `open` when the interval holds zero.
 *    - The size is `excluded` when the paper's value lies outside the interval, whatever the direction; it `agrees`
 *      when the value lies inside, the direction agrees, and our mean is within a factor of two (or *about equal*) of
 *      the value; otherwise the interval is too wide to judge it, and it is `open`.
 * 5. The paper's difference is about equal: it has no direction, and one answer, `equality`.
 *    - It is `excluded` when the interval lies wholly beyond *about equal* on one side, `agrees` when the interval lies
 *      wholly within twice that of zero, and is `open` otherwise.
 * 6. The paper has no such difference: `differs` when the interval leaves out zero, else `no difference seen`.
 */
import type { MeanWithInterval } from './statistics.js';

export type Direction = 'agrees' | 'opposite' | 'open';
export type Size = 'agrees' | 'excluded' | 'open';

export type Verdict =
  | { outcome: 'diverged' | 'missing' | 'too few seeds' }
  | { outcome: 'effect'; direction: Direction; size: Size }
  | { outcome: 'equality'; size: Size }
  | { outcome: 'differs' | 'no difference seen' };

/** The verdict on one contrast by the rule above; differences in points, `missing` and `diverged` about its cells. */
export function verdictOn(contrast: {
  published?: number;
  ours?: MeanWithInterval;
  missing: boolean;
  diverged: boolean;
  /** The metric's. */
  aboutEqual: number;
}): Verdict {
  const { published, ours, missing, diverged, aboutEqual } = contrast;
  if (diverged) return { outcome: 'diverged' };
  if (missing) return { outcome: 'missing' };
  if (!ours?.interval) return { outcome: 'too few seeds' };
  const [low, high] = ours.interval;
  if (published === undefined) return { outcome: low > 0 || high < 0 ? 'differs' : 'no difference seen' };
  if (Math.abs(published) <= aboutEqual)
    return { outcome: 'equality', size: equalityOf(low, high, aboutEqual) };
  const direction = directionOf(published, low, high);
  const isInside = low <= published && published <= high;
  const ratio = ours.mean / published;
  const isClose = (ratio >= 0.5 && ratio <= 2) || Math.abs(ours.mean - published) <= aboutEqual;
  const size = !isInside ? 'excluded' : direction === 'agrees' && isClose ? 'agrees' : 'open';
  return { outcome: 'effect', direction, size };
}

function directionOf(published: number, low: number, high: number): Direction {
  if (low <= 0 && high >= 0) return 'open';
  return Math.sign(low) === Math.sign(published) ? 'agrees' : 'opposite';
}

function equalityOf(low: number, high: number, aboutEqual: number): Size {
  const equivalence = 2 * aboutEqual;
  if (low > aboutEqual || high < -aboutEqual) return 'excluded';
  return low >= -equivalence && high <= equivalence ? 'agrees' : 'open';
}

/** The verdict as tables and claims say it: a clause that can be quoted beside the two numbers. */
export function verdictInWords(verdict: Verdict): string {
  switch (verdict.outcome) {
    case 'diverged':
      return 'a run diverged';
    case 'missing':
      return 'no run completed';
    case 'effect':
      return effectInWords(verdict.direction, verdict.size);
    case 'equality':
      return equalityInWords[verdict.size];
    default:
      return verdict.outcome;
  }
}

const equalityInWords: Record<Size, string> = {
  agrees: 'agrees: about equal here, too',
  excluded: 'disagrees: not about equal here',
  open: 'open: the interval is too wide to call it about equal',
};

function effectInWords(direction: Direction, size: Size): string {
  if (direction === 'agrees' && size === 'agrees') return 'agrees in direction and size';
  if (direction === 'open' && size === 'open') {
    return 'open: the interval holds zero and the paper’s value';
  }
  const directions = {
    agrees: 'agrees in direction',
    opposite: 'opposite in direction',
    open: 'direction open',
  };
  const sizes = {
    agrees: 'the size agrees',
    excluded: 'the interval leaves out the paper’s size',
    open: 'the size is open',
  };
  return `${directions[direction]}, ${sizes[size]}`;
}
