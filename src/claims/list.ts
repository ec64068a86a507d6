/** The paper's claims: each sentence of its abstract that states a result, each table and figure. */
import type { Contrast } from '../analysis/contrast.js';
import type { Study } from '../analysis/study.js';
import { isDetectorName, isOverClips } from '../config/schema-model.js';

export interface Claim {
  /** `abstract-3`, `table-2`, … */
  id: string;
  source: string;
  statement: string;
  /** Says which contrasts' verdicts speak for or against it; an experiment that has such a contrast tests the claim. */
  supports?: (contrast: Contrast) => boolean;
  /** Set when the contrasts are between cells that the paper has no figures for: fine-tuned, or with precise statistics. */
  ofOtherCells?: boolean;
  /** Leaves out experiments that would match otherwise. */
  only?: (study: Study) => boolean;
  /** The function that shows it, where it is about code. */
  code?: { file: string; name: string };
  /** The reason to give where nothing here tests it. */
  untested: string;
}

/** ResNet-101, VGG-16, videos and transfer are claims of their own, bfloat16 is a control. */
const isMain = ({ cells }: Study) =>
  cells.every(
    ({ setting, config }) =>
      !/resnet101|vgg/.test(setting.model) &&
      !isOverClips(setting.model) &&
      !isDetectorName(setting.model) &&
      config.precision === 'float32',
  ) && !isTransfer({ cells });
/** Pre-training on some classes, and what goes on from it. */
const isTransfer = ({ cells }: Pick<Study, 'cells'>) =>
  cells.some(({ config }) => (config.init && !isOverClips(config.model.name)) || config.data.classes);
/** Detectors that begin with a classifier's weights, or none of whose cells does. */
const ofDetectors =
  (start: 'fine-tuned' | 'from scratch') =>
  ({ cells }: Study) =>
    cells.every(
      ({ setting, config }) =>
        isDetectorName(setting.model) && (config.init !== undefined) === (start === 'fine-tuned'),
    );
const usesModel =
  (name: string) =>
  ({ cells }: Study) =>
    cells.some(({ setting }) => setting.model.startsWith(name));
const repeatsTable = (table: number) => (study: Study) => isMain(study) && study.reproduces?.table === table;

/** One normalizer minus another at the same batch size. */
const isBetween = ({ kind, terms }: Contrast, left: string | string[], right: string, sizes: number[]) =>
  kind === 'normalizers' &&
  [left].flat().includes(terms[0].setting.normalizer) &&
  terms[1].setting.normalizer === right &&
  sizes.includes(terms[0].setting.batchSize);
/** One normalizer and one of the others, whichever is subtracted, at any batch size. */
const isBetweenAny = ({ kind, terms: [left, right] }: Contrast, one: string, others: string[]) => {
  const [first, second] = [left, right].map(({ setting }) => setting.normalizer);
  return (
    kind === 'normalizers' &&
    ((first === one && others.includes(second)) || (second === one && others.includes(first)))
  );
};
/** A normalizer at one batch size minus the same normalizer at 32 images. */
const isRiseFrom32 = ({ kind, terms: [to, from] }: Contrast, normalizer: string) =>
  kind === 'rise' && to.setting.normalizer === normalizer && from.setting.batchSize === 32;
const isRiseAgainstRise = ({ kind }: Contrast) => kind === 'rises';
const isOfPreTrained = ({ terms: [first] }: Contrast) => first.setting.others.init !== undefined;

const notYet = 'no experiment yet';
const groupNorm = { file: 'src/normalizers/group.ts', name: 'groupNorm' };

export const paperClaims: readonly Claim[] = [
  {
    id: 'abstract-1',
    source: 'Abstract',
    statement: 'BN’s error increases rapidly when the batch becomes smaller',
    supports: (each) =>
      isRiseAgainstRise(each) || (isRiseFrom32(each, 'batch') && each.terms[0].setting.batchSize === 2),
    only: isMain,
    untested: notYet,
  },
  {
    id: 'abstract-1-cause',
    source: 'Abstract',
    statement: '… caused by inaccurate estimation of the batch statistics',
    supports: ({ kind, terms: [precise, running] }) =>
      kind === 'control' &&
      precise.setting.normalizer === 'batch' &&
      precise.setting.batchSize === 2 &&
      precise.setting.others['evaluate.statistics'] === 'precise' &&
      running.setting.others['evaluate.statistics'] === undefined,
    ofOtherCells: true,
    untested: notYet,
  },
  {
    id: 'abstract-2',
    source: 'Abstract',
    statement: 'GN’s accuracy is stable in a wide range of batch sizes',
    supports: (each) => isRiseFrom32(each, 'group'),
    only: isMain,
    untested: notYet,
  },
  {
    id: 'abstract-3',
    source: 'Abstract',
    statement: 'At a batch size of 2, GN has 10.6 points lower error than BN',
    supports: (each) => isBetween(each, 'group', 'batch', [2]),
    only: isMain,
    untested: notYet,
  },
  {
    id: 'abstract-4',
    source: 'Abstract',
    statement: 'At typical batch sizes GN is comparably good with BN',
    supports: (each) => isBetween(each, 'group', 'batch', [32]),
    only: isMain,
    untested: notYet,
  },
  {
    id: 'abstract-5',
    source: 'Abstract',
    statement: '… and outperforms the other normalizers',
    supports: (each) => isBetween(each, ['layer', 'instance'], 'group', [32]),
    only: isMain,
    untested: notYet,
  },
  {
    id: 'abstract-6',
    source: 'Abstract',
    statement: 'GN transfers naturally from pre-training to fine-tuning',
    supports: (each) => isOfPreTrained(each) && each.kind !== 'heads',
    ofOtherCells: true,
    only: (study) => !usesModel('i3d-')(study),
    untested: notYet,
  },
  {
    id: 'abstract-7',
    source: 'Abstract',
    statement: 'GN outperforms or competes with BN for detection and segmentation in COCO',
    supports: (each) => isBetweenAny(each, 'group', ['batch', 'frozen-batch']) || isRiseAgainstRise(each),
    ofOtherCells: true,
    only: ({ cells }) => cells.every(({ setting }) => isDetectorName(setting.model)),
    untested: notYet,
  },
  {
    id: 'abstract-8',
    source: 'Abstract',
    statement: '… and for video classification in Kinetics',
    supports: (each) => isBetween(each, 'group', 'batch', [8, 4]),
    only: usesModel('i3d-'),
    untested: notYet,
  },
  {
    id: 'abstract-9',
    source: 'Abstract',
    statement: 'GN is a few lines of code in a modern library',
    code: groupNorm,
    untested: notYet,
  },
  {
    id: 'table-1',
    source: 'Table 1, Figure 4',
    statement: 'BN, LN, IN and GN at 32 images a worker',
    supports: ({ kind, terms: [{ setting }] }) => kind === 'normalizers' && setting.batchSize === 32,
    only: repeatsTable(1),
    untested: notYet,
  },
  {
    id: 'table-2',
    source: 'Table 2, Figures 1 and 5',
    statement: 'BN and GN from 32 images a worker to 2',
    supports: isRiseAgainstRise,
    only: repeatsTable(2),
    untested: notYet,
  },
  {
    id: 'table-3-groups',
    source: 'Table 3, left',
    statement: 'GN by its number of groups, LN being one',
    supports: ({ kind, terms: [{ setting }] }) => kind === 'groups' && setting.groups !== undefined,
    untested: notYet,
  },
  {
    id: 'table-3-channels',
    source: 'Table 3, right',
    statement: 'GN by the channels in a group, IN being one',
    supports: ({ kind, terms: [{ setting }] }) => kind === 'groups' && setting.channelsPerGroup !== undefined,
    untested: notYet,
  },
  {
    id: 'batch-renorm',
    source: 'Section 4.1',
    statement: 'Batch Renormalization at 4 images a worker is ahead of BN and behind GN',
    supports: (each) =>
      isBetween(each, 'batch-renorm', 'group', [4]) || isBetween(each, 'batch-renorm', 'batch', [4]),
    untested: notYet,
  },
  {
    id: 'weight-norm',
    source: 'Section 4.1',
    statement: 'Weight normalization stays behind GN',
    supports: (each) => isBetween(each, 'weight-norm', 'group', [32]),
    untested: notYet,
  },
  {
    id: 'resnet-101',
    source: 'Section 4.1',
    statement: 'The same for ResNet-101 at 32 and 2 images a worker',
    supports: (each) => isRiseAgainstRise(each) || isBetween(each, 'group', 'batch', [32, 2]),
    only: usesModel('resnet101'),
    untested: notYet,
  },
  {
    id: 'figure-2',
    source: 'Figure 2',
    statement: 'BN, LN, IN and GN differ only in the set that mean and variance are computed over',
    code: { file: 'src/normalizers/moments.ts', name: 'moments' },
    untested: notYet,
  },
  { id: 'figure-3', source: 'Figure 3', statement: 'GN in code', code: groupNorm, untested: notYet },
  {
    id: 'figure-6',
    source: 'Figure 6',
    statement: 'VGG-16 without normalizer, with BN and with GN',
    supports: ({ terms }) => terms.some(({ setting }) => setting.normalizer === 'group'),
    only: usesModel('vgg16'),
    untested: notYet,
  },
  {
    id: 'table-4-6',
    source: 'Tables 4 to 6',
    statement: 'Mask R-CNN fine-tuned with GN is ahead of frozen BN (C4, box head, FPN)',
    supports: (each) => isBetweenAny(each, 'group', ['frozen-batch']) || each.kind === 'heads',
    ofOtherCells: true,
    only: ofDetectors('fine-tuned'),
    untested: notYet,
  },
  {
    id: 'table-7',
    source: 'Table 7',
    statement: 'Mask R-CNN with GN trains from scratch',
    supports: (each) =>
      isBetweenAny(each, 'group', ['batch', 'none', 'layer']) ||
      isRiseAgainstRise(each) ||
      each.kind === 'control',
    ofOtherCells: true,
    only: ofDetectors('from scratch'),
    untested: notYet,
  },
  {
    id: 'table-8',
    source: 'Table 8, Figure 7',
    statement: 'GN is comparable with BN at 8 clips a worker and ahead at 4',
    supports: (each) =>
      isBetween(each, 'group', 'batch', [8, 4, 2]) || each.kind === 'rise' || each.kind === 'rises',
    only: usesModel('i3d-'),
    untested: notYet,
  },
];
