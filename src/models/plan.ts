import { type Resolved, requireEndOfWarmup, resolve } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { isDetectorName, isOverClips } from '../config/schema-model.js';
import type { Sizes } from '../datasets/dataset.js';
import { exampleShape, type KnownSizes, knownSizes } from '../datasets/known-sizes.js';
import { splitSizes } from '../datasets/subset.js';
import { motionClasses } from '../datasets/video/synthetic-video.js';
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
  const plan = planWith(config, knownSizes(config.data, dataFolder), head);
  requireEndOfWarmup(config, plan.resolved);
  return plan;
}

/**
 * Checks as much of a plan as can be known without the folders of images: with as many images as anybody may ask for.
 *
 * @throws {UserError} as `planRun`
 */
export function checkPlan(config: Config): void {
  const { data } = config;
  const usualClasses = inFolders[data.name];
  if (usualClasses === undefined || ('expect' in data && data.expect && !data.classes)) {
    planRun(config);
    return;
  }
  planWith(config, {
    sizes: { train: Number.MAX_SAFE_INTEGER, validation: Number.MAX_SAFE_INTEGER },
    classes: data.classes?.length ?? usualClasses,
    shape: exampleShape(data),
  });
}

/** The data that lie in the user's folders, and how many classes such data usually have. */
const inFolders: Partial<Record<Config['data']['name'], number>> = {
  'image-folder': 1000,
  'video-folder': 400,
  'motion-of-photographs': motionClasses.count,
  coco: 80,
};

function planWith(config: Config, { sizes: all, classes, shape, objects }: KnownSizes, head?: Head): Plan {
  requireKind(config, shape);
  requireClasses(config, classes);
  const sizes = splitSizes(config.data, all);
  const resolved = resolve(config, sizes);
  const headless = createModel(config.model, classes);
  const network = head ? withHead(headless, head) : headless;
  const model = describeModel(network, config.normalizer, { shape });
  requireRoom(config, model, shape);
  checkResponses(config, model);
  // The parts of a head that is not here cannot be known.
  if (!config.task || head) checkParameterGroups(config, model.variables);
  return { sizes, classes, objects, resolved, network, model, memory: stepMemory(config, model) };
}

/** @throws {UserError} for a network over images and data of clips, or the other way round: it would be another network */
function requireKind({ model, data }: Config, shape: readonly number[]): void {
  const hasClips = shape.length === 4;
  if (isOverClips(model.name) === hasClips) return;
  const [over, given] = hasClips ? ['images', 'clips'] : ['clips', 'images'];
  throw new UserError(`model.name: ${model.name} is over ${over}, and ${data.name} has ${given}`, {
    place: 'model.name',
    fix: hasClips
      ? 'choose i3d-resnet18 or another i3d-… or c2d-…'
      : 'choose data of clips, such as synthetic-video',
  });
}

/** @throws {UserError} for a classifier of one class, as of folders that are named one too high */
function requireClasses({ model, data, task }: Config, classes: number): void {
  if (classes > 1 || task || isDetectorName(model.name)) return;
  throw new UserError('the data have a single class: there is nothing to tell apart', {
    place: 'train' in data ? 'data.train' : 'data.name',
    fix: 'name the folder that holds a folder for each class',
  });
}

/** @throws {UserError} where nothing of an image or a clip is left behind a layer */
function requireRoom({ model }: Config, { layers }: ModelDescription, shape: readonly number[]): void {
  const empty = layers.find(({ outputShape }) => outputShape.some((side) => side < 1));
  if (!empty) return;
  const key = shape.length === 4 && empty.outputShape[0] < 1 ? 'data.frames' : 'data.resolution';
  throw new UserError(
    `${shape.slice(0, -1).join('×')} is too small for ${model.name}: nothing is left behind ${empty.name}`,
    { place: key, fix: `enlarge it${key === 'data.frames' ? ', or set model.timeStrides to 1' : ''}` },
  );
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
  if (asPlanned) return plan;
  const resolved = resolve(config, sizes);
  requireEndOfWarmup(config, resolved);
  return { ...plan, sizes, resolved };
}
