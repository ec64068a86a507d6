/** The table of normalizers: a name in a configuration → what it is. */
import type { Config } from '../config/schema.js';
import { batch } from './batch.js';
import { batchRenorm } from './batch-renorm.js';
import { filterResponse } from './filter-response.js';
import { frozenBatch } from './frozen-batch.js';
import { group } from './group.js';
import { instance } from './instance.js';
import { layer } from './layer.js';
import { none } from './none.js';
import type { Normalizer } from './normalizer.js';
import { syncBatch } from './sync-batch.js';
import { weightNorm } from './weight-norm.js';
import { withWeightStandardization } from './weight-standardization.js';

export type NormalizerConfig = WithoutFlag<Config['normalizer']>;
/** The flag may be left out. */
type WithoutFlag<T> = T extends { weightStandardization: boolean }
  ? Omit<T, 'weightStandardization'> & { weightStandardization?: boolean }
  : T;

export function createNormalizer(config: NormalizerConfig): Normalizer {
  const normalizer = ofFeatures(config);
  return 'weightStandardization' in config && config.weightStandardization
    ? withWeightStandardization(normalizer)
    : normalizer;
}

function ofFeatures(config: NormalizerConfig): Normalizer {
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
      return none();
  }
}
