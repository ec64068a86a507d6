/**
 * The numbers that Wu & He published of detectors: Tables 4 to 7, average precisions of Mask R-CNN on COCO, of boxes and of masks, and
 * the setting behind them.
 */
import type { Config } from '../config/schema.js';
import { isDetectorName } from '../config/schema-model.js';
import type { Heads } from './published.js';

/** A row: AP of boxes, of boxes at an overlap of 0.5 and of 0.75, and the same of masks. */
export interface PublishedDetection {
  source: string;
  table: 4 | 5 | 6 | 7;
  model: 'ResNet-50-C4' | 'ResNet-50-FPN' | 'ResNet-101-FPN';
  /** The backbone's; `frozen-batch` is the paper's BN*. */
  normalizer: 'frozen-batch' | 'group';
  /** The box head's, in Table 5. */
  boxHead?: 'none' | 'group';
  schedule?: 'long';
  boxAP: number;
  boxAP50: number;
  boxAP75: number;
  maskAP: number;
  maskAP50: number;
  maskAP75: number;
}

type Key = Pick<PublishedDetection, 'boxHead' | 'schedule'>;

const row = (
  table: PublishedDetection['table'],
  model: PublishedDetection['model'],
  normalizer: PublishedDetection['normalizer'],
  [boxAP, boxAP50, boxAP75]: number[],
  [maskAP, maskAP50, maskAP75]: number[],
  more: Key = {},
): PublishedDetection => ({
  source: `Table ${table}`,
  table,
  model,
  normalizer,
  ...more,
  boxAP,
  boxAP50,
  boxAP75,
  maskAP,
  maskAP50,
  maskAP75,
});

const r50 = 'ResNet-50-FPN';
const r101 = 'ResNet-101-FPN';
const long = { schedule: 'long' } as const;

/** Tables 4 (C4), 5 (box head of four convolutions), 6 (FPN) and 7 (from scratch; its row of synchronized BN is by others). */
export const publishedDetections: readonly PublishedDetection[] = [
  row(4, 'ResNet-50-C4', 'frozen-batch', [37.7, 57.9, 40.9], [32.8, 54.3, 34.7]),
  row(4, 'ResNet-50-C4', 'group', [38.8, 59.2, 42.2], [33.6, 55.9, 35.4]),
  row(5, r50, 'frozen-batch', [38.6, 59.5, 41.9], [34.2, 56.2, 36.1], { boxHead: 'none' }),
  row(5, r50, 'frozen-batch', [39.5, 60.0, 43.2], [34.4, 56.4, 36.3], { boxHead: 'group' }),
  row(5, r50, 'group', [40.0, 61.0, 43.3], [34.8, 57.3, 36.3], { boxHead: 'group' }),
  row(6, r50, 'frozen-batch', [38.6, 59.8, 42.1], [34.5, 56.4, 36.3]),
  row(6, r50, 'group', [40.3, 61.0, 44.0], [35.7, 57.9, 37.7]),
  row(6, r50, 'group', [40.8, 61.6, 44.4], [36.1, 58.5, 38.2], long),
  row(6, r101, 'frozen-batch', [40.9, 61.9, 44.8], [36.4, 58.5, 38.7]),
  row(6, r101, 'group', [41.8, 62.5, 45.4], [36.8, 59.2, 39.0]),
  row(6, r101, 'group', [42.3, 62.8, 46.2], [37.2, 59.7, 39.5], long),
  row(7, r50, 'group', [39.5, 59.8, 43.6], [35.2, 56.9, 37.6]),
  row(7, r101, 'group', [41.0, 61.1, 44.9], [36.4, 58.2, 38.7]),
];

/** The setting behind the rows, of the paper's code: 2 images a worker, 8 workers; twice its shortest schedule. */
export const paperDetectorSetting = {
  data: 'COCO',
  steps: 180_000,
  longSteps: 270_000,
  workers: 8,
  learningRate: { base: 0.02, per: 16 },
  dropAt: [120_000 / 180_000, 160_000 / 180_000],
  factor: 0.1,
  weightDecay: 1e-4,
  momentum: 0.9,
  inWords: {
    beginning: undefined,
    model: 'ResNet-50',
    length: '180,000 steps',
    drops: 'after 120,000 and 160,000 of 180,000 steps',
  },
} as const;

const parts = ['neck', 'boxHead', 'maskHead'] as const;

/** The setting of Table 7, and of the long rows of Table 6: half as long again. */
export const paperDetectorLongSetting = {
  ...paperDetectorSetting,
  steps: paperDetectorSetting.longSteps,
  dropAt: [210_000 / 270_000, 250_000 / 270_000],
  inWords: {
    ...paperDetectorSetting.inWords,
    length: '270,000 steps',
    drops: 'after 210,000 and 250,000 of 270,000 steps',
  },
} as const;

/** Says whether a detector is trained as long as the paper trains it from scratch, in images. */
const isLong = ({ steps = 0, batch }: Config): boolean =>
  steps * batch.size * batch.workers >= paperDetectorSetting.longSteps * 16;

/** The setting that a detector's configuration repeats. */
export const settingOfDetector = (config: Config) =>
  !config.init || isLong(config) ? paperDetectorLongSetting : paperDetectorSetting;

/** The normalizer of a detector's backbone, as it is written, and those of its other parts, where they have others. */
export function normalizersOf({ normalizer }: Pick<Config, 'normalizer'>): {
  backbone: Config['normalizer'] | NonNullable<Config['normalizer']['parts']>[string];
  heads?: Heads;
} {
  const { parts: named = {} } = normalizer;
  const backbone = named.backbone ?? normalizer;
  const others = parts.map((part) => [part, (named[part] ?? normalizer).name] as const);
  if (others.every(([, name]) => name === backbone.name)) return { backbone };
  return { backbone, heads: Object.fromEntries(others.filter(([, name]) => name !== 'none')) };
}

/**
 * The row that a configuration is to be compared with, if there is one. Another backbone than ResNet-101 is held against
 * ResNet-50, as a network of another depth is elsewhere; another length than the long one against the shorter.
 * @param table where frozen BN without a normalizer in the heads is looked for first: Tables 5 and 6 both have it
 */
export function publishedDetection(config: Config, table?: number): PublishedDetection | undefined {
  const { model, init, batch } = config;
  if (!isDetectorName(model.name) || !('backbone' in model) || model.name !== 'mask-rcnn') return undefined;
  const { backbone, heads } = normalizersOf(config);
  const deep = model.backbone === 'resnet101';
  const name = model.neck === 'c4' ? 'ResNet-50-C4' : deep ? r101 : r50;
  if (model.neck === 'c4' ? deep : batch.size !== 2) return undefined;
  const candidates = publishedDetections.filter(
    (each) => each.model === name && each.normalizer === backbone.name,
  );
  const everywhere = heads === undefined;
  const inHeads = Object.entries(heads ?? {})
    .map(([part, each]) => `${part}: ${each}`)
    .join();
  if (!init) return everywhere ? candidates.find(({ table }) => table === 7) : undefined;
  const isFine = candidates.filter(({ table }) => table !== 7);
  if (model.neck === 'c4') return everywhere || inHeads === '' ? isFine[0] : undefined;
  if (everywhere) {
    return isFine.find(({ table, schedule }) => table === 6 && (schedule === 'long') === isLong(config));
  }
  if (inHeads === 'boxHead: group') return isFine.find(({ boxHead }) => boxHead === 'group');
  if (inHeads !== '' || backbone.name !== 'frozen-batch') return undefined;
  const wanted = table === 5 || table === 6 ? table : model.boxHead === '4conv1fc' ? 5 : 6;
  return isFine.find((each) => each.table === wanted);
}
