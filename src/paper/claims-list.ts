/** What the paper claims: each sentence of its abstract that states a result, each table and figure. */
import type { Study } from '../analysis/study.js';

export interface Claim {
  /** `abstract-3`, `table-2`, … */
  id: string;
  source: string;
  statement: string;
  /** Contrasts (by `id`) whose verdicts speak for or against it; an experiment that has one of them tests it. */
  contrasts?: RegExp;
  /** Whether they may be of cells that the paper's figures are not of: fine-tuned, or evaluated with precise statistics. */
  ofOtherCells?: boolean;
  /** Further narrows the experiments. */
  only?: (study: Study) => boolean;
  /** The function that shows it, where it is about code. */
  code?: { file: string; name: string };
  /** Why nothing here tests it, where nothing does. */
  untested: string;
}

/** ResNet-101, VGG-16 and transfer are claims of their own, bfloat16 is a control. */
const isMain = ({ cells }: Study) =>
  cells.every(
    ({ setting, config }) => !/resnet101|vgg/.test(setting.model) && config.precision === 'float32',
  ) && !isTransfer({ cells });
/** Pre-training on some classes, and what goes on from it. */
const isTransfer = ({ cells }: Pick<Study, 'cells'>) =>
  cells.some(({ config }) => config.init || config.data.classes);
const usesModel =
  (name: string) =>
  ({ cells }: Study) =>
    cells.some(({ setting }) => setting.model.startsWith(name));
const repeatsTable = (table: number) => (study: Study) => isMain(study) && study.reproduces?.table === table;

const coco = 'needs COCO and Mask R-CNN, which gnbench does not have';
const kinetics = 'needs Kinetics and three-dimensional convolutions, which gnbench does not have';
const notYet = 'no experiment yet';
const groupNorm = { file: 'src/normalizers/group.ts', name: 'groupNorm' };

export const paperClaims: readonly Claim[] = [
  {
    id: 'abstract-1',
    source: 'Abstract',
    statement: 'BN’s error increases rapidly when the batch becomes smaller',
    contrasts: /^BN@2-32|^rise:BN-GN/,
    only: isMain,
    untested: notYet,
  },
  {
    id: 'abstract-1-cause',
    source: 'Abstract',
    statement: '… caused by inaccurate estimation of the batch statistics',
    contrasts: /^precise statistics-running statistics:BN at 2/,
    ofOtherCells: true,
    untested: notYet,
  },
  {
    id: 'abstract-2',
    source: 'Abstract',
    statement: 'GN’s accuracy is stable in a wide range of batch sizes',
    contrasts: /^GN[^-]*@\d+-32/,
    only: isMain,
    untested: notYet,
  },
  {
    id: 'abstract-3',
    source: 'Abstract',
    statement: 'At a batch size of 2, GN has 10.6 points lower error than BN',
    contrasts: /^GN[^-]*-BN@2(?!\d)/,
    only: isMain,
    untested: notYet,
  },
  {
    id: 'abstract-4',
    source: 'Abstract',
    statement: 'At typical batch sizes GN is comparably good with BN',
    contrasts: /^GN[^-]*-BN@32/,
    only: isMain,
    untested: notYet,
  },
  {
    id: 'abstract-5',
    source: 'Abstract',
    statement: '… and outperforms the other normalizers',
    contrasts: /^(LN|IN)-GN[^-]*@32/,
    only: isMain,
    untested: notYet,
  },
  {
    id: 'abstract-6',
    source: 'Abstract',
    statement: 'GN transfers naturally from pre-training to fine-tuning',
    contrasts: /^transfer:/,
    ofOtherCells: true,
    untested: notYet,
  },
  {
    id: 'abstract-7',
    source: 'Abstract',
    statement: 'GN outperforms or competes with BN for detection and segmentation in COCO',
    untested: coco,
  },
  {
    id: 'abstract-8',
    source: 'Abstract',
    statement: '… and for video classification in Kinetics',
    untested: kinetics,
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
    contrasts: /@32(?!\d)/,
    only: repeatsTable(1),
    untested: notYet,
  },
  {
    id: 'table-2',
    source: 'Table 2, Figures 1 and 5',
    statement: 'BN and GN from 32 images a worker to 2',
    contrasts: /^rise:BN-GN/,
    only: repeatsTable(2),
    untested: notYet,
  },
  {
    id: 'table-3-groups',
    source: 'Table 3, left',
    statement: 'GN by its number of groups, LN being one',
    contrasts: /^groups:/,
    untested: notYet,
  },
  {
    id: 'table-3-channels',
    source: 'Table 3, right',
    statement: 'GN by the channels in a group, IN being one',
    contrasts: /^channelsPerGroup:/,
    untested: notYet,
  },
  {
    id: 'batch-renorm',
    source: 'Section 4.1',
    statement: 'Batch Renormalization at 4 images a worker stays behind GN',
    contrasts: /^BRN-GN[^-]*@4/,
    untested: notYet,
  },
  {
    id: 'weight-norm',
    source: 'Section 4.1',
    statement: 'Weight normalization stays behind GN',
    contrasts: /^WN-GN[^-]*@32/,
    untested: notYet,
  },
  {
    id: 'resnet-101',
    source: 'Section 4.1',
    statement: 'The same for ResNet-101 at 32 and 2 images a worker',
    contrasts: /-BN@(32|2)(?!\d)|^rise:/,
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
    contrasts: /GN/,
    only: usesModel('vgg16'),
    untested: notYet,
  },
  {
    id: 'table-4-6',
    source: 'Tables 4 to 6',
    statement: 'Mask R-CNN fine-tuned with GN is ahead of frozen BN (C4, box head, FPN)',
    untested: coco,
  },
  { id: 'table-7', source: 'Table 7', statement: 'Mask R-CNN with GN trains from scratch', untested: coco },
  {
    id: 'table-8',
    source: 'Table 8, Figure 7',
    statement: 'GN is comparable with BN at 8 clips a worker and ahead at 4',
    untested: kinetics,
  },
];
