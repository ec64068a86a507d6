import { type Resolved, resolve } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import type { Sizes } from '../datasets/dataset.js';
import { knownSizes } from '../datasets/known-sizes.js';
import { splitSizes } from '../datasets/subset.js';
import { describeModel, type ModelDescription } from '../nn/shape-net.js';
import { createModel } from './index.js';
import { type StepMemory, stepMemory } from './memory.js';
import { checkParameterGroups } from './parameter-groups.js';

/** All that follows from a configuration before data or engine are loaded. */
export interface Plan {
  /** Images that are trained and validated on. */
  sizes: Sizes;
  resolved: Resolved;
  model: ModelDescription;
  memory: StepMemory;
}

/**
 * @param dataFolder `--data`, for images in folders
 * @throws {UserError} for what no key shows on its own: groups that don't divide a layer's channels, a step or a subset
 *   larger than the data, a part of the model that is frozen but not there; its place may be a key's path (see `withPlaces`)
 */
export function planRun(config: Config, dataFolder?: string): Plan {
  const { sizes: all, classes, shape } = knownSizes(config.data, dataFolder);
  const sizes = splitSizes(config.data, all);
  const resolved = resolve(config, sizes);
  const model = describeModel(createModel(config.model, classes), config.normalizer, { shape });
  checkParameterGroups(config, model.variables);
  return { sizes, resolved, model, memory: stepMemory(config, model) };
}
