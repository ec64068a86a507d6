/**
 * When does an experiment agree with the paper? The rule, and nothing else.
 *
 * Other data and another model have other errors, so only differences between cells are compared: the paper's
 * `published` (points of validation error), and ours, the mean over seeds with its 95 % t interval. Let *about equal*
 * mean a difference of at most 0.5 points, the size that the paper itself calls comparable (GN against BN, Table 1).
 *
 * 1. `diverged`: a run of one of the cells diverged; the rest's mean would flatter it.
 * 2. `missing`: one of the cells has no completed run.
 * 3. `too few seeds`: fewer than two seeds completed in both cells.
 * 4. The paper's difference is more than about equal:
 *    - `not`: the interval lies wholly on the other side of zero, or wholly within about equal;
 *    - `direction and size`: the interval lies wholly on the paper's side of zero, and the paper's value lies in it and
 *      within a factor of two of ours (or within 0.5 points of ours);
 *    - `direction only`: the interval lies wholly on the paper's side of zero;
 *    - `too few seeds`: it does not, so more seeds are needed.
 * 5. The paper's difference is about equal:
 *    - `not`: the interval lies wholly beyond 0.5 points on one side;
 *    - `direction and size`: it does not, and lies wholly within 1 point of zero;
 *    - `too few seeds`: neither.
 * 6. The paper has no such difference: `differs` when the interval leaves out zero, else `no difference seen`.
 */
import type { Estimate } from './statistics.js';

export const aboutEqual = 0.5;
export const equivalence = 1;

export type Verdict =
  | 'direction and size'
  | 'direction only'
  | 'not'
  | 'too few seeds'
  | 'diverged'
  | 'missing'
  | 'differs'
  | 'no difference seen';

/** The verdict on one contrast by the rule above; differences in points, `missing` and `diverged` about its two cells. */
export function verdictOn(contrast: {
  published?: number;
  ours?: Estimate;
  missing: boolean;
  diverged: boolean;
}): Verdict {
  const { published, ours, missing, diverged } = contrast;
  if (diverged) return 'diverged';
  if (missing) return 'missing';
  if (!ours?.interval) return 'too few seeds';
  const [low, high] = ours.interval;
  if (published === undefined) return low > 0 || high < 0 ? 'differs' : 'no difference seen';
  if (Math.abs(published) <= aboutEqual) {
    if (low > aboutEqual || high < -aboutEqual) return 'not';
    return low >= -equivalence && high <= equivalence ? 'direction and size' : 'too few seeds';
  }
  const side = Math.sign(published);
  const [near, far] = side > 0 ? [low, high] : [-high, -low];
  if (far < 0 || (near >= -aboutEqual && far <= aboutEqual)) return 'not';
  if (near <= 0) return 'too few seeds';
  const ratio = ours.mean / published;
  const size = near <= Math.abs(published) && Math.abs(published) <= far && ratio >= 0.5 && ratio <= 2;
  return size || Math.abs(ours.mean - published) <= aboutEqual ? 'direction and size' : 'direction only';
}

/** The verdict as a table says it. */
export function verdictInWords(verdict: Verdict): string {
  return {
    'direction and size': 'agrees in direction and size',
    'direction only': 'agrees in direction only',
    not: 'does not agree',
    'too few seeds': 'too few seeds',
    diverged: 'diverged',
    missing: 'no run completed',
    differs: 'differs',
    'no difference seen': 'no difference seen',
  }[verdict];
}
