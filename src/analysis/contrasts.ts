/** The differences between cells that the paper draws its conclusions from, in the unit of the compared metric. */

import { isOverClips } from '../config/schema-model.js';
import {
  count,
  hasSeveralGroupings,
  normalizerLabel,
  valueInWords,
  varyingPaths,
} from '../experiments/label.js';
import { contextOf, differingPaths, normalizerKey } from '../experiments/setting.js';
import { type ComparableSet, comparableSets } from './comparable.js';
import { type Contrast, type ContrastKind, contrast } from './contrast.js';
import { groupBy } from './group-by.js';
import type { Study, StudyCell } from './study.js';

/** Every contrast that the study's cells, with those of its baseline, allow; in the order of a reader's questions. */
export function contrastsOf(study: Study): Contrast[] {
  const sets = comparableSets(study);
  return [
    ...(study.reproduces?.table === 3 ? sets.flatMap(groupContrasts) : sets.flatMap(normalizerContrasts)),
    ...sets.flatMap(freezingContrasts),
    ...sets.flatMap(statisticsContrasts),
    ...sets.flatMap(headContrasts),
    ...sets.flatMap(riseContrasts),
    ...controlContrasts(study),
  ];
}

/** Every cell that a table of the study shows: its own, then those of the baseline that they are compared with. */
export const shownCells = (study: Study): StudyCell[] => [...study.cells, ...comparedBaseline(study)];

/** The baseline's cells that differ from one of the study's in the normalizer alone, or in one key alone. */
export function comparedBaseline({ cells, baseline }: Study): StudyCell[] {
  return baseline.filter((cell) =>
    cells.some((own) => {
      if (own.setting.batchSize !== cell.setting.batchSize) return false;
      if (contextOf(own.setting) === contextOf(cell.setting)) return true;
      const alike = normalizerKey(own.setting) === normalizerKey(cell.setting);
      return alike && differingPaths(own.setting, cell.setting).length === 1;
    }),
  );
}

/** One cell minus another at its batch size, unless there is none or both are the baseline's. */
function difference(
  { own, note, name }: ComparableSet,
  [left, right]: readonly [StudyCell, StudyCell | undefined],
  { kind = 'normalizers', topic = '' }: { kind?: ContrastKind; topic?: string } = {},
): Contrast[] {
  if (!right || !(own.has(left) || own.has(right))) return [];
  const { batchSize } = left.setting;
  const names = [name(left), name(right)];
  return [
    contrast({
      kind,
      label: `${names.join(' − ')} at ${batchSize}${note}`,
      id: `${topic}${names.join('-')}@${batchSize}${note}`,
      terms: [
        [1, left],
        [-1, right],
      ],
    }),
  ];
}

const isAtSizeOf =
  (cell: StudyCell) =>
  ({ setting }: StudyCell): boolean =>
    setting.batchSize === cell.setting.batchSize;

function normalizerContrasts(set: ComparableSet): Contrast[] {
  return set.cells
    .filter(({ setting }) => setting.normalizer === 'group')
    .flatMap((group) => {
      const others = set.cells
        .filter(isAtSizeOf(group))
        .filter(({ setting }) => setting.normalizer !== 'group');
      return others.flatMap((other) => {
        // The paper says by how much GN is below BN, and by how much the other variants are above GN.
        const pair =
          other.setting.normalizer === 'batch' ? ([group, other] as const) : ([other, group] as const);
        return difference(set, pair, { topic: transferred(group) });
      });
    });
}

/** Claims about transfer rest on contrasts of their own. */
const isTransferred = ({ config }: StudyCell): boolean =>
  config.init !== undefined && !isOverClips(config.model.name);
const transferred = (cell: StudyCell): string => (isTransferred(cell) ? 'transfer:' : '');

/** The loss from training BN instead of freezing it in fine-tuning. */
function freezingContrasts(set: ComparableSet): Contrast[] {
  return set.cells
    .filter((cell) => cell.setting.normalizer === 'batch' && isTransferred(cell))
    .flatMap((tuned) => {
      const frozen = set.cells
        .filter(isAtSizeOf(tuned))
        .find(({ setting }) => setting.normalizer === 'frozen-batch' && !hasHeads(setting));
      return difference(set, [tuned, frozen], { topic: 'transfer:' });
    });
}

/** Kinds of BN with statistics of more than a worker's own batch: each beside BN itself. */
function statisticsContrasts(set: ComparableSet): Contrast[] {
  return set.cells
    .filter(({ setting }) => ['sync-batch', 'batch-renorm'].includes(setting.normalizer))
    .flatMap((cell) => {
      const batch = set.cells.filter(isAtSizeOf(cell)).find(({ setting }) => setting.normalizer === 'batch');
      return difference(set, [cell, batch]);
    });
}

const hasHeads = ({ heads = {} }: StudyCell['setting']): boolean => Object.keys(heads).length > 0;

/** Table 5's question: what does a normalizer in a detector's heads do, beside none there and the same backbone? */
function headContrasts(set: ComparableSet): Contrast[] {
  return set.cells
    .filter(({ setting }) => hasHeads(setting))
    .flatMap((cell) => {
      const plain = set.cells
        .filter(isAtSizeOf(cell))
        .find(
          ({ setting }) =>
            setting.heads && !hasHeads(setting) && setting.normalizer === cell.setting.normalizer,
        );
      return difference(set, [cell, plain], { kind: 'heads', topic: 'heads:' });
    });
}

function riseContrasts({ cells, own, note, name }: ComparableSet): Contrast[] {
  const lines = [...groupBy(cells, ({ setting }) => normalizerKey(setting)).values()].filter(
    (line) => line.length > 1 && line.some((cell) => own.has(cell)),
  );
  const rises = lines.flatMap((line) => {
    const reference = referenceOf(line);
    const from = reference.setting.batchSize;
    return line
      .filter((cell) => cell !== reference && (own.has(cell) || own.has(reference)))
      .map((cell) =>
        contrast({
          kind: 'rise',
          label: `${name(cell)}: ${cell.setting.batchSize} − ${from}${note}`,
          id: `${name(cell)}@${cell.setting.batchSize}-${from}${note}`,
          terms: [
            [1, cell],
            [-1, reference],
          ],
        }),
      );
  });
  const batchLine = lines.find(([cell]) => cell.setting.normalizer === 'batch') ?? [];
  const groupLines = lines.filter(([cell]) => cell.setting.normalizer === 'group');
  const differences = groupLines.flatMap(
    (line) => riseAgainstRise(batchLine, line, name(line[0]), note) ?? [],
  );
  return [...rises, ...differences];
}

/** BN's change from the reference to the smallest batch that both have, minus GN's; paired by seed over all four cells. */
function riseAgainstRise(
  batch: StudyCell[],
  group: StudyCell[],
  name: string,
  note: string,
): Contrast | undefined {
  const at = (line: StudyCell[], size: number) => line.find(({ setting }) => setting.batchSize === size);
  const shared = batch.map(({ setting }) => setting.batchSize).filter((size) => at(group, size));
  if (shared.length < 2) return undefined;
  const to = Math.min(...shared);
  const from = shared.includes(32) ? 32 : Math.max(...shared);
  if (to === from) return undefined;
  const change = batch[0].metric.better === 'lower' ? 'rise' : 'change';
  return contrast({
    kind: 'rises',
    label: `BN’s ${change} from ${from} to ${to} − ${name}’s${note}`,
    id: `rise:BN-${name}@${to}-${from}${note}`,
    terms: [
      [1, at(batch, to)!],
      [-1, at(batch, from)!],
      [-1, at(group, to)!],
      [1, at(group, from)!],
    ],
  });
}

/** The paper's 32 images a worker, or the largest batch where 32 is not among them. */
function referenceOf(line: StudyCell[]): StudyCell {
  return (
    line.find(({ setting }) => setting.batchSize === 32) ??
    line.reduce((largest, cell) => (cell.setting.batchSize > largest.setting.batchSize ? cell : largest))
  );
}

/** Table 3's question: what do groups add to LN, and what does sharing among channels add to IN? */
function groupContrasts({ cells, note }: ComparableSet): Contrast[] {
  return (['groups', 'channelsPerGroup'] as const).flatMap((key) => {
    const [normalizer, what, extreme] =
      key === 'groups' ? ['layer', 'group', '1 (LN)'] : ['instance', 'channel', '1 (IN)'];
    const line = cells.filter(
      ({ setting }) => setting[key] !== undefined || setting.normalizer === normalizer,
    );
    const end = line.find(({ setting }) => setting[key] === 1 || setting.normalizer === normalizer);
    return line
      .filter(
        (cell) => end && (cell.setting[key] ?? 1) !== 1 && cell.setting.batchSize === end.setting.batchSize,
      )
      .map((cell) => {
        const size = cell.setting[key]!;
        return contrast({
          kind: 'groups',
          label: `${count(size, what)}${key === 'groups' ? '' : ' a group'} − ${extreme}${note}`,
          id: `${key}:${size}-1${note}`,
          table: 3,
          terms: [
            [1, cell],
            [-1, end!],
          ],
        });
      });
  });
}

/** Cells, the baseline's included, that differ in a single key: the one with that key at its default is subtracted. */
function controlContrasts({ cells, baseline }: Study): Contrast[] {
  const lineKey = ({ setting }: StudyCell) => `${normalizerKey(setting)} ${setting.batchSize}`;
  const lines = groupBy([...cells, ...baseline], lineKey);
  return cells.flatMap((cell) => {
    const line = lines.get(lineKey(cell))!;
    const varying = varyingPaths(line);
    return line.flatMap((other) => {
      const paths = differingPaths(cell.setting, other.setting);
      const isDefault =
        paths[0] === 'batch.workers' ? other.setting.workers === 1 : !(paths[0] in other.setting.others);
      if (paths.length !== 1 || paths[0] === 'model.name' || !isDefault) return [];
      const alikeIn = varying.filter((path) => path !== paths[0]).map((path) => valueInWords(cell, path));
      const own = `${normalizerLabel(cell.setting, hasSeveralGroupings(cells))} at ${cell.setting.batchSize}`;
      const name = [own, ...alikeIn].join(', ');
      const values = [cell, other].map((side) => valueInWords(side, paths[0]));
      return contrast({
        kind: 'control',
        label: `${name}: ${values.join(' − ')}`,
        id: `${transferred(cell)}${values.join('-')}:${name}`,
        terms: [
          [1, cell],
          [-1, other],
        ],
      });
    });
  });
}
