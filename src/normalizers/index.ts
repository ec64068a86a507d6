/** The table of normalizers: a name in a configuration → the normalizer. */
import type { NormalizerOfPart } from '../config/schema-normalizer.js';
import { UserError } from '../errors.js';
import type { Normalizer, NormalizerOf } from '../nn/normalizer.js';
import { partOf } from '../nn/variable.js';
import { batch } from './batch.js';
import { batchRenorm } from './batch-renorm.js';
import { filterResponse } from './filter-response.js';
import { frozenBatch } from './frozen-batch.js';
import { group } from './group.js';
import { instance } from './instance.js';
import { layer } from './layer.js';
import { none } from './none.js';
import { syncBatch } from './sync-batch.js';
import { weightNorm } from './weight-norm.js';
import { withWeightStandardization } from './weight-standardization.js';

/** The normalizer of a network's layers, and those of the parts that have another one. */
export type NormalizerConfig = LayerConfig & { parts?: Record<string, LayerConfig> };
type LayerConfig = WithoutFlag<NormalizerOfPart>;
/** The flag may be left out. */
type WithoutFlag<T> = T extends { weightStandardization: boolean }
  ? Omit<T, 'weightStandardization'> & { weightStandardization?: boolean }
  : T;

/** The normalizers of a network: one for all of it, but for the parts that have one of their own. */
export interface Normalizers {
  of: NormalizerOf;
  /** The schedules of all of them, by the names that their layers ask for. */
  schedules: Record<string, (done: number) => number>;
}

export function createNormalizers(config: NormalizerConfig): Normalizers {
  const main = createNormalizer(config);
  const parts = Object.fromEntries(
    Object.entries(config.parts ?? {}).map(([part, each]) => [part, inPart(part, createNormalizer(each))]),
  );
  const names = Object.keys(parts);
  return {
    of(layer) {
      const part = partOf(names, layer);
      return part === undefined ? main : parts[part];
    },
    schedules: Object.assign({}, ...[main, ...Object.values(parts)].map(({ schedules }) => schedules)),
  };
}

/** A part's normalizer asks for schedules by names of their own, and says where its groups are written. */
function inPart(part: string, normalizer: Normalizer): Normalizer {
  const named = (key: string) => `parts.${part}.${key}`;
  const { schedules = {}, groups } = normalizer;
  return {
    ...normalizer,
    schedules: Object.fromEntries(Object.entries(schedules).map(([key, at]) => [named(key), at])),
    ...(groups && { groups: (channels) => placed(() => groups(channels), named('')) }),
    apply: (x, application) =>
      normalizer.apply(x, { ...application, scheduled: (key) => application.scheduled(named(key)) }),
  };
}

function placed<Result>(compute: () => Result, prefix: string): Result {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof UserError) || !error.place) throw error;
    const { message, place, fix } = error;
    throw new UserError(message, { place: place.replace('normalizer.', `normalizer.${prefix}`), fix });
  }
}

/** The normalizer of a layer. */
export function createNormalizer(config: LayerConfig): Normalizer {
  const normalizer = ofFeatures(config);
  return 'weightStandardization' in config && config.weightStandardization
    ? withWeightStandardization(normalizer)
    : normalizer;
}

function ofFeatures(config: LayerConfig): Normalizer {
  switch (config.name) {
    case 'batch':
      return batch(config);
    case 'group':
      return group(config);
    case 'layer':
      return layer(config);
    case 'instance':
      return instance(config);
    case 'sync-batch':
      return syncBatch(config);
    case 'frozen-batch':
      return frozenBatch(config);
    case 'batch-renorm':
      return batchRenorm(config);
    case 'filter-response':
      return filterResponse(config);
    case 'weight-norm':
      return weightNorm();
    case 'none':
      return none(config);
  }
}
