import { type Resolved, resolve } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { isDetectorName } from '../config/schema-model.js';
import type { Sizes } from '../datasets/dataset.js';
import { canvasesOf } from '../datasets/detection/canvas.js';
import { type KnownSizes, knownSizes } from '../datasets/known-sizes.js';
import { splitSizes } from '../datasets/subset.js';
import { didYouMean, UserError } from '../errors.js';
import { type Head, type Model, withHead } from '../nn/net.js';
import type { ModelDescription } from '../nn/shape-net.js';
import { listUpTo } from '../terminal/words.js';
import { describeModel } from './describe.js';
import { createModel } from './index.js';
import { type StepMemory, stepMemory } from './memory.js';
import { checkParameterGroups } from './parameter-groups.js';

/** All that follows from a configuration before data or engine are loaded. */
export interface Plan {
  /** Images that are trained and validated on. */
  sizes: Sizes;
  /** Classes of the data, and numbers of annotated objects where they were read. */
  classes: number;
  objects?: Sizes;
  resolved: Resolved;
  /** The model as a function of a `Net`, with the task's head. */
  network: Model;
  model: ModelDescription;
  memory: StepMemory;
}

/**
 * @param dataFolder `--data`, for images in folders
 * @param head the layers that the task puts behind the model
 * @throws {UserError} for what no key shows on its own: groups that don't divide a layer's channels, a step or a subset
 *   larger than the data, a part of the model that is frozen but not there; its place may be a key's path (see `withPlaces`)
 */
export function planRun(config: Config, dataFolder?: string, head?: Head): Plan {
  return planWith(config, knownSizes(config.data, dataFolder), head);
}

/**
 * Checks as much of a plan as can be known without the folders of images: with as many images as anybody may ask for.
 *
 * @throws {UserError} as `planRun`
 */
export function checkPlan(config: Config): void {
  const { data } = config;
  if ((data.name !== 'image-folder' && data.name !== 'coco') || (data.expect && !data.classes)) {
    planRun(config);
    return;
  }
  const isCoco = data.name === 'coco';
  const [{ height, width }] = isCoco
    ? canvasesOf(data)
    : [{ height: data.resolution, width: data.resolution }];
  planWith(config, {
    sizes: { train: Number.MAX_SAFE_INTEGER, validation: Number.MAX_SAFE_INTEGER },
    classes: data.classes?.length ?? (isCoco ? 80 : 1000),
    shape: [height, width, 3],
  });
}

function planWith(config: Config, { sizes: all, classes, shape, objects }: KnownSizes, head?: Head): Plan {
  const sizes = splitSizes(config.data, all);
  const resolved = resolve(config, sizes);
  const headless = createModel(config.model, classes);
  const network = head ? withHead(headless, head) : headless;
  const model = describeModel(network, config.normalizer, { shape });
  checkResponses(config, model);
  // The parts of a head that is not here cannot be known.
  if (!config.task || head) checkParameterGroups(config, model.variables);
  return { sizes, classes, objects, resolved, network, model, memory: stepMemory(config, model) };
}

/** @throws {UserError} for responses of what is not a convolution of the model, or of a detector's */
function checkResponses({ log, model }: Config, { layers }: ModelDescription): void {
  const place = 'log.responses';
  if (log.responses && isDetectorName(model.name)) {
    throw new UserError('the responses of a detector are not logged', { place, fix: 'leave the key out' });
  }
  const convolutions = layers.filter(({ kind }) => kind === 'conv').map(({ name }) => name);
  for (const name of log.responses ?? []) {
    if (convolutions.includes(name)) continue;
    throw new UserError(`${model.name} has no convolution "${name}"`, {
      place,
      fix: didYouMean(name, convolutions) ?? `one of: ${listUpTo(convolutions)}`,
    });
  }
}

/** The plan for the data as it was found: of image files, broken ones may have been left out. */
export function confirmPlan(
  plan: Plan,
  config: Config,
  { train, validation }: { train: { count: number }; validation: { count: number } },
): Plan {
  const sizes = { train: train.count, validation: validation.count };
  const asPlanned = sizes.train === plan.sizes.train && sizes.validation === plan.sizes.validation;
  return asPlanned ? plan : { ...plan, sizes, resolved: resolve(config, sizes) };
}
