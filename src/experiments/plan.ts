import { type Resolved, resolve } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { splitSizes } from '../datasets/sizes.js';
import { published } from '../datasets/known-sizes.js';
import { createModel } from '../models/index.js';
import { checkParameterGroups } from '../models/parameter-groups.js';
import { describeModel } from '../nn/shape-net.js';

/** What a run of a cell takes, found without its data and without the engine. */
export interface Plan extends Pick<Resolved, 'rate' | 'imagesPerStep' | 'totalSteps'> {
  /** Training images, all epochs. */
  trained: number;
  /** Validation images, all epochs. */
  evaluated: number;
  /** Multiply-adds for one image, forward. */
  flops: number;
}

/**
 * @param dataFolder `--data`, for images in folders
 * @throws UserError for what the schema cannot see: groups that don't divide the channels, a step larger than the data, a part
 *   of the model that it has not.
 *   Its place may be a key's path.
 */
export function planCell(config: Config, dataFolder?: string): Plan {
  const { sizes: all, classes, shape } = published(config.data, dataFolder);
  const sizes = splitSizes(config, all);
  const { rate, imagesPerStep, totalSteps } = resolve(config, sizes);
  const { flops, variables } = describeModel(createModel(config.model, classes), config.normalizer, {
    shape,
  });
  checkParameterGroups(config, variables);
  const evaluations = Math.ceil(config.epochs / config.evaluate.every);
  return {
    rate,
    imagesPerStep,
    totalSteps,
    trained: totalSteps * imagesPerStep,
    evaluated: evaluations * sizes.validation,
    flops,
  };
}
