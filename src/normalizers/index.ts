/** The table of normalizers: a name in a configuration → what it is. */
import type { Config } from '../config/schema.js';
import { batch } from './batch.js';
import { group } from './group.js';
import { instance } from './instance.js';
import { layer } from './layer.js';
import { none } from './none.js';
import type { Normalizer } from './normalizer.js';

export type NormalizerConfig = Config['normalizer'];

export function createNormalizer(config: NormalizerConfig): Normalizer {
  switch (config.name) {
    case 'batch':
      return batch(config);
    case 'group':
      return group(config);
    case 'layer':
      return layer(config);
    case 'instance':
      return instance(config);
    case 'none':
      return none();
  }
}
