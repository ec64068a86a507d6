/** The settings that tell an experiment's cells apart in the paper's terms, read off their configs. */
import { configIdentity } from '../config/identity.js';
import type { Config } from '../config/schema.js';
import { isDetectorName } from '../config/schema-model.js';
import type { PaperKey } from '../paper/published.js';
import { normalizersOf } from '../paper/published-detections.js';
import { byText } from '../terminal/words.js';

/** A cell in the paper's terms, and everything else about it for telling whether two cells may be compared. */
export interface Setting extends PaperKey {
  model: string;
  workers: number;
  /** Every other key that affects the result and is not at its default, by path. */
  others: Record<string, unknown>;
}

export function settingOf(config: Config): Setting {
  const { model, batch } = config;
  const { backbone, heads } = isDetectorName(model.name)
    ? normalizersOf(config)
    : { backbone: config.normalizer, heads: undefined };
  const normalizer = backbone as { name: string; groups?: number; channelsPerGroup?: number };
  const { init: _, ...identity } = configIdentity(config) as Record<string, unknown>;
  const others = flatten(identity);
  const elsewhere =
    /^(seed|model\.name|batch\.(size|workers|microSteps)|normalizer(\.(name|groups|channelsPerGroup))?)$/;
  const inParts = /^normalizer\.parts\.(backbone|neck|boxHead|maskHead)\./;
  for (const path of Object.keys(others)) {
    if (elsewhere.test(path) || (isDetectorName(model.name) && inParts.test(path))) delete others[path];
  }
  // It always counts for the id; as the default it tells no cells apart.
  if (others['normalizer.affine'] === 'fixed') delete others['normalizer.affine'];
  // Each normalizer goes on from weights of its own: for a comparison it counts that there are some, not which.
  if (config.init) others.init = config.init.head;
  return {
    model: model.name,
    normalizer: normalizer.name,
    groups: normalizer.groups,
    channelsPerGroup: normalizer.channelsPerGroup,
    batchSize: batch.size,
    ...(heads && { heads }),
    ...('frames' in config.data && { frames: config.data.frames }),
    workers: batch.workers,
    others,
  };
}

/** The normalizers in the order of the paper's Table 1, then what it mentions, then what it could not know. */
const normalizerOrder = ['batch', 'layer', 'instance', 'group', 'none', 'weight-norm', 'batch-renorm'];

/**
 * The order of the paper's tables: by model, normalizer, groups (most first) and batch size (largest first); what is
 * nearer the defaults comes first.
 */
export function compareSettings(a: Setting, b: Setting): number {
  const rank = ({ normalizer }: Setting) =>
    normalizerOrder.includes(normalizer) ? normalizerOrder.indexOf(normalizer) : normalizerOrder.length;
  return (
    byText(a.model, b.model) ||
    rank(a) - rank(b) ||
    byText(a.normalizer, b.normalizer) ||
    Object.keys(a.heads ?? {}).length - Object.keys(b.heads ?? {}).length ||
    Number(a.channelsPerGroup !== undefined) - Number(b.channelsPerGroup !== undefined) ||
    (b.groups ?? 0) - (a.groups ?? 0) ||
    (b.channelsPerGroup ?? 0) - (a.channelsPerGroup ?? 0) ||
    b.workers - a.workers ||
    b.batchSize - a.batchSize ||
    Object.keys(a.others).length - Object.keys(b.others).length ||
    byText(contextOf(a), contextOf(b))
  );
}

/**
 * Equal for two cells that differ in nothing but normalizer and batch size. A detector's box head goes with the normalizer:
 * in the paper's Table 6 only GN's has convolutions.
 */
export function contextOf({ model, workers, others }: Setting): string {
  const compared = Object.entries(others).filter(([path]) => path !== 'model.boxHead');
  return JSON.stringify([model, workers, compared.sort(([a], [b]) => byText(a, b))]);
}

/** Equal for two cells with the same normalizer, groups and a detector's other parts included. */
export function normalizerKey({ normalizer, groups, channelsPerGroup, heads }: Setting): string {
  return JSON.stringify([normalizer, groups ?? null, channelsPerGroup ?? null, ...(heads ? [heads] : [])]);
}

/** The key paths, other than normalizer and batch size, in which two settings differ; in order. */
export function differingPaths(a: Setting, b: Setting): string[] {
  const paths = new Set([...Object.keys(a.others), ...Object.keys(b.others)]);
  const differing = [...paths].filter(
    (path) => JSON.stringify(a.others[path]) !== JSON.stringify(b.others[path]),
  );
  if (a.model !== b.model) differing.push('model.name');
  if (a.workers !== b.workers) differing.push('batch.workers');
  return differing.sort(byText);
}

/** `{ a: { b: 1 } }` → `{ 'a.b': 1 }`; lists stay whole. */
function flatten(value: Record<string, unknown>, prefix = ''): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.entries(flatten(inner as Record<string, unknown>, `${prefix}${key}.`))
        : [[`${prefix}${key}`, inner]],
    ),
  );
}
