/** Which cells of a study may be held against each other. */

import { hasSeveralGroupings, normalizerLabel, valueInWords, varyingPaths } from '../experiments/label.js';
import { contextOf } from '../experiments/setting.js';
import { groupBy } from './group-by.js';
import type { Study, StudyCell } from './study.js';

/** Cells that differ in normalizer and batch size only. */
export interface ComparableSet {
  cells: StudyCell[];
  own: Set<StudyCell>;
  /** Tells this set from the study's other ones: `, 8 workers`. */
  note: string;
  name(cell: StudyCell): string;
}

/** A study's cells and its baseline's, by what they have in common; sets of the baseline alone are left out. */
export function comparableSets({ cells, baseline }: Study): ComparableSet[] {
  const own = new Set(cells);
  const sets = [...groupBy([...cells, ...baseline], ({ setting }) => contextOf(setting)).values()].filter(
    (set) => set.some((cell) => own.has(cell)),
  );
  const paths = varyingPaths(sets.map(([first]) => first));
  return sets.map((set) => {
    const detailed = hasSeveralGroupings(set);
    return {
      cells: set,
      own,
      note: paths.map((path) => `, ${valueInWords(set[0], path)}`).join(''),
      name: ({ setting }) => normalizerLabel(setting, detailed && setting.normalizer === 'group'),
    };
  });
}
