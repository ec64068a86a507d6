/**
 * Every number that Wu & He published in "Group Normalization" (ECCV 2018, arXiv 1803.08494) and that gnbench
 * compares with, but for those of detectors, which `published-detections.ts` has. Nothing else in the project writes a
 * published figure down.
 *
 * Errors are top-1 validation errors in percent, on ImageNet the median of the last 5 epochs; video is top-1 and top-5 accuracy in percent on Kinetics.
 */
import { isOverClips } from '../config/schema-model.js';

/** The tables of errors: of images, and Table 8 of videos. */
export type ErrorTable = 1 | 2 | 3 | 8;

/**
 * A published error and the setting it belongs to. Absent keys are the paper's defaults: 32 images a worker, 32
 * groups.
 */
export interface PublishedError {
  /** Its place in the paper: `Table 2`, `Section 4.1`. */
  source: string;
  /** The table it belongs to; absent for what only the text or a figure gives. */
  table?: ErrorTable;
  model: 'resnet50' | 'resnet101' | 'vgg16' | 'i3d-resnet50';
  /** `batch`, `group`, `layer`, `instance`, `weight-norm`, `batch-renorm`, `none`. */
  normalizer: string;
  /** Images a worker. */
  batchSize: number;
  groups?: number;
  channelsPerGroup?: number;
  /** Frames of a clip. */
  frames?: number;
  /** Top-1 validation error, percent. */
  error: number;
}

/** The setting behind every error below, which `differences.ts` holds a reproduction against. */
export const paperSetting = {
  title: 'Wu & He, Group Normalization, ECCV 2018',
  arxiv: '1803.08494',
  data: 'ImageNet',
  epochs: 100,
  workers: 8,
  learningRate: { base: 0.1, per: 256 },
  dropAt: [0.3, 0.6, 0.9],
  factor: 0.1,
  weightDecay: 1e-4,
  momentum: 0.9,
  groups: 32,
  inWords: {
    beginning: 'Mask R-CNN fine-tuned on COCO',
    model: 'ResNet-50',
    length: '100',
    drops: 'after epochs 30, 60 and 90',
  },
} as const;

/**
 * The setting behind Table 8, which is that of the code that it builds on (Wang et al. 2018): 400,000 steps of 64 clips
 * are 107 passes over Kinetics' 240,000. The rate at 4 clips a worker is in no source; this is its rate per clip.
 */
export const paperVideoSetting = {
  ...paperSetting,
  data: 'Kinetics',
  epochs: 107,
  learningRate: { base: 0.01, per: 64 },
  dropAt: [0.375, 0.75],
  inWords: {
    beginning: 'from ImageNet’s weights, inflated',
    model: 'I3D ResNet-50',
    clip: '32 or 64 of 224×224',
    length: '107',
    drops: 'after 150,000 and 300,000 of 400,000 steps',
  },
} as const;

const resnet50 = { model: 'resnet50', batchSize: 32 } as const;

const table1: PublishedError[] = Object.entries({
  batch: 23.6,
  layer: 25.3,
  instance: 28.4,
  group: 24.1,
}).map(([normalizer, error]) => ({ source: 'Table 1', table: 1, ...resnet50, normalizer, error }));

const batchSizes = [32, 16, 8, 4, 2] as const;
const table2: PublishedError[] = Object.entries({
  batch: [23.6, 23.7, 24.8, 27.3, 34.7],
  group: [24.1, 24.2, 24.0, 24.2, 24.1],
}).flatMap(([normalizer, errors]) =>
  errors.map((error, index) => ({
    source: 'Table 2',
    table: 2 as const,
    model: 'resnet50' as const,
    normalizer,
    batchSize: batchSizes[index],
    error,
  })),
);

const groupNumbers = { 64: 24.6, 32: 24.1, 16: 24.6, 8: 24.4, 4: 24.6, 2: 24.7, 1: 25.3 };
const groupWidths = { 64: 24.4, 32: 24.5, 16: 24.2, 8: 24.3, 4: 24.8, 2: 25.6, 1: 28.4 };
const table3: PublishedError[] = [
  ...Object.entries(groupNumbers).map(([groups, error]) => ({ groups: Number(groups), error })),
  ...Object.entries(groupWidths).map(([channels, error]) => ({ channelsPerGroup: Number(channels), error })),
].map((value) => ({ source: 'Table 3', table: 3, ...resnet50, normalizer: 'group', ...value }));

const fromTheText: PublishedError[] = [
  { source: 'Section 4.1', ...resnet50, normalizer: 'weight-norm', error: 28.2 },
  { source: 'Section 4.1', ...resnet50, normalizer: 'batch-renorm', batchSize: 4, error: 26.3 },
  { source: 'Section 4.1', model: 'resnet101', normalizer: 'batch', batchSize: 32, error: 22.0 },
  { source: 'Section 4.1', model: 'resnet101', normalizer: 'group', batchSize: 32, error: 22.4 },
  { source: 'Section 4.1', model: 'resnet101', normalizer: 'batch', batchSize: 2, error: 31.9 },
  { source: 'Section 4.1', model: 'resnet101', normalizer: 'group', batchSize: 2, error: 23.0 },
  { source: 'Figure 6', model: 'vgg16', normalizer: 'none', batchSize: 32, error: 29.2 },
  { source: 'Figure 6', model: 'vgg16', normalizer: 'batch', batchSize: 32, error: 28.0 },
  { source: 'Figure 6', model: 'vgg16', normalizer: 'group', batchSize: 32, error: 27.6 },
];

/** A cell of Table 8: ResNet-50 I3D on Kinetics. */
export interface PublishedVideo {
  source: 'Table 8';
  normalizer: 'batch' | 'group';
  frames: 32 | 64;
  /** Clips a worker. */
  batchSize: 8 | 4;
  top1: number;
  top5: number;
}

const video = (
  normalizer: 'batch' | 'group',
  frames: 32 | 64,
  batchSize: 8 | 4,
  top1: number,
  top5: number,
): PublishedVideo => ({ source: 'Table 8', normalizer, frames, batchSize, top1, top5 });

export const publishedVideos: readonly PublishedVideo[] = [
  video('batch', 32, 8, 73.3, 90.7),
  video('batch', 32, 4, 72.1, 90.0),
  video('batch', 64, 4, 73.3, 90.8),
  video('group', 32, 8, 73.0, 90.6),
  video('group', 32, 4, 72.8, 90.6),
  video('group', 64, 4, 74.5, 91.7),
];

const table8: PublishedError[] = publishedVideos.map(({ top1, ...cell }) => ({
  ...cell,
  table: 8,
  model: 'i3d-resnet50',
  error: Number((100 - top1).toFixed(1)),
}));

/** All published classification errors. */
export const publishedErrors: readonly PublishedError[] = [
  ...table1,
  ...table2,
  ...table3,
  ...table8,
  ...fromTheText,
];

/** The normalizers of a detector's parts behind the backbone; a part that has none is not named. */
export type Heads = Partial<Record<'neck' | 'boxHead' | 'maskHead', string>>;

/** The keys by which the paper's tables tell cells apart. */
export interface PaperKey {
  normalizer: string;
  /** Images a worker. */
  batchSize: number;
  groups?: number;
  channelsPerGroup?: number;
  /** `resnet20`, `resnet50`, …: matched only where the paper itself has several models. */
  model?: string;
  /** Frames of a clip. */
  frames?: number;
  /** The normalizers of a detector's other parts, where they have another one than the backbone, whose `normalizer` is. */
  heads?: Heads;
}

/**
 * The published error that a cell is to be compared with, if the paper has one.
 *
 * Tables 1 and 2 and the text know a GN only by its name (32 groups there; a CIFAR network's narrow stages need
 * fewer), Table 3 by its groups or its channels per group, with LN as one group and IN as one channel a group. A
 * model that is not the paper's (ResNet-20) is compared with the ResNet-50 rows, over clips with those of I3D: the ones
 * of 64 frames when it has as many, else those of 32. Of C2D there are none.
 */
export function publishedError(key: PaperKey, table?: ErrorTable): PublishedError | undefined {
  if (key.model !== undefined && isOverClips(key.model)) return publishedVideoError(key);
  const model = publishedErrors.some((value) => value.model === key.model) ? key.model : 'resnet50';
  const candidates = publishedErrors.filter(
    (value) =>
      value.model === model && value.batchSize === key.batchSize && (!table || value.table === table),
  );
  if (table === 3) {
    const groups = key.normalizer === 'layer' ? 1 : key.groups;
    const channelsPerGroup = key.normalizer === 'instance' ? 1 : key.channelsPerGroup;
    if (groups === undefined && channelsPerGroup === undefined) return undefined;
    return candidates.find((value) =>
      channelsPerGroup === undefined ? value.groups === groups : value.channelsPerGroup === channelsPerGroup,
    );
  }
  return candidates.find((value) => value.table !== 3 && value.normalizer === key.normalizer);
}

function publishedVideoError({ model, normalizer, batchSize, frames }: PaperKey): PublishedError | undefined {
  if (model?.startsWith('c2d-')) return undefined;
  const nearest = frames === 64 ? 64 : 32;
  return table8.find(
    (value) => value.normalizer === normalizer && value.batchSize === batchSize && value.frames === nearest,
  );
}
