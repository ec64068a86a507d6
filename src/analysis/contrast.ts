/** A difference between cells, ours beside the paper's, in the unit of the compared metric. */

import { isDetectorName } from '../config/schema-model.js';
import type { Setting } from '../experiments/setting.js';
import { estimate, type MeanWithInterval } from './statistics.js';
import { hasDiverged, isOfThePaper, publishedFor, type StudyCell, valuesOf } from './study.js';
import { type Verdict, verdictOn } from './verdict.js';

/**
 * - `normalizers`: GN minus BN, another normalizer minus GN, at the same batch size
 * - `rise`: a batch size minus the reference, 32, for the same normalizer
 * - `rises`: BN's rise from the reference to the smallest batch minus GN's
 * - `heads`: a detector with a normalizer in its heads minus one without, their backbones' being the same
 * - `groups`: a number (width) of groups minus the extreme that is LN (IN)
 * - `control`: two cells that differ in one key that is neither normalizer nor batch size
 */
export type ContrastKind = 'normalizers' | 'rise' | 'rises' | 'heads' | 'groups' | 'control';

export interface Contrast {
  kind: ContrastKind;
  label: string;
  /** A short name: `GN-BN@2`, `BN@2-32`. It is made of display names, so read `terms` to tell contrasts apart. */
  id: string;
  /** The signed sum that the contrast is: the setting of each cell, in the order of the label. */
  terms: { sign: 1 | -1; setting: Setting }[];
  /** True when the paper's figures are about cells such as all of these. */
  ofThePaper: boolean;
  /** The paper's, to its one decimal. */
  published?: number;
  /** Ours for each seed that completed in all of its cells. */
  pairs: { seed: number; difference: number }[];
  ours?: MeanWithInterval;
  verdict: Verdict;
}

/** One cell of a signed sum. */
export type Term = [sign: 1 | -1, cell: StudyCell];

/** Computes a contrast from its cells, and its verdict. Only Table 3's tell the paper's cells apart by groups. */
export function contrast(options: {
  kind: ContrastKind;
  label: string;
  id: string;
  terms: Term[];
  table?: 3;
}): Contrast {
  const { kind, label, id, terms, table } = options;
  const pairs = valuesOf(terms[0][1]).flatMap(({ seed }) => {
    const difference = sumOfTerms(terms, (cell) => valuesOf(cell).find((run) => run.seed === seed)?.value);
    return difference === undefined ? [] : [{ seed, difference }];
  });
  const ofThePaper = terms.every(([, cell]) => isOfThePaper(cell));
  const sum =
    kind === 'control' || !ofThePaper
      ? undefined
      : sumOfTerms(terms, (cell) => (isDetector(cell) ? cell.published : publishedFor(cell, table))?.value);
  const published = sum === undefined ? undefined : Number(sum.toFixed(1));
  const ours = estimate(pairs.map(({ difference }) => difference));
  const missing = terms.some(([, cell]) => valuesOf(cell).length === 0);
  const diverged = terms.some(([, cell]) => hasDiverged(cell));
  return {
    kind,
    label,
    id,
    terms: terms.map(([sign, { setting }]) => ({ sign, setting })),
    ofThePaper,
    published,
    pairs,
    ours,
    verdict: verdictOn({ published, ours, missing, diverged, aboutEqual: terms[0][1].metric.aboutEqual }),
  };
}

const isDetector = ({ setting }: StudyCell) => isDetectorName(setting.model);

/** Undefined when a term has no value. */
function sumOfTerms(terms: Term[], termOf: (cell: StudyCell) => number | undefined): number | undefined {
  return terms.reduce<number | undefined>((sum, [sign, cell]) => {
    const value = termOf(cell);
    return sum === undefined || value === undefined ? undefined : sum + sign * value;
  }, 0);
}
