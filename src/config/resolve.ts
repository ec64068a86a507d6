/** The consequences of a configuration and the sizes of its data: the rate at every step, and the number of steps. */
import type { Sizes } from '../datasets/dataset.js';
import { UserError } from '../errors.js';
import { configId } from './identity.js';
import type { Config } from './schema.js';
import { placeOf } from './source-positions.js';

export interface Resolved {
  /** The learning rate after warm-up and before any drop: base · size · workers / per. */
  rate: number;
  /** batch.size · batch.workers */
  imagesPerStep: number;
  /** The last, partial batch of an epoch is dropped. */
  stepsPerEpoch: number;
  totalSteps: number;
  /** Passes over the training images, the last of which may be cut short. */
  epochs: number;
  /** Steps between rows of curves.csv. */
  rowSteps: number;
  /** The learning rate that is used at a step; steps count from 0. */
  rateAt(step: number): number;
  /** Ten hex digits: equal for configurations, seeds included, that give equal results. */
  id: string;
  /** `<name>-<id>` */
  runName: string;
}

/**
 * @param sizes of the images that are really trained and validated on, subsets and splits applied
 * @throws {UserError} when a step needs more images than there are
 */
export function resolve(config: Config, sizes: Sizes): Resolved {
  const { batch, learningRate, steps, evaluate } = config;
  const imagesPerStep = batch.size * batch.workers;
  if (imagesPerStep > sizes.train) throw tooLarge(config, sizes.train);
  const stepsPerEpoch = Math.floor(sizes.train / imagesPerStep);
  const totalSteps = steps ?? stepsPerEpoch * config.epochs!;
  const rate = tidy((learningRate.base * imagesPerStep) / learningRate.per);
  return {
    rate,
    imagesPerStep,
    stepsPerEpoch,
    totalSteps,
    epochs: Math.ceil(totalSteps / stepsPerEpoch),
    rowSteps: evaluate.everySteps ?? stepsPerEpoch,
    rateAt: schedule(learningRate, { rate, stepsPerEpoch, totalSteps, inSteps: steps !== undefined }),
    id: configId(config),
    runName: resolvedName(config),
  };
}

/** `90,000 steps`, `100 epochs`: the length of a training. */
export const lengthInWords = ({ steps, epochs }: Config): string => {
  const [number, unit] = steps === undefined ? [epochs!, 'epoch'] : [steps, 'step'];
  return `${number.toLocaleString('en')} ${unit}${number === 1 ? '' : 's'}`;
};

/** The drops of `learningRate.dropAt` that lie behind the training's end: the rate never drops there. */
export function dropsNeverReached({ learningRate, epochs, steps }: Config): number[] {
  if (learningRate.schedule !== 'step') return [];
  return learningRate.dropAt.filter((at) => at >= 1 && at >= (steps ?? epochs!));
}

/** `rate: 0.0025 = 0.02 · 2 / 16`: the linear scaling rule, in numbers. */
export const rateInWords = ({ learningRate: { base, per } }: Config, resolved: Resolved): string =>
  `rate: ${resolved.rate} = ${base} · ${resolved.imagesPerStep} / ${per}`;

/** The name of a run's folder: the configuration's name and its id. */
export const resolvedName = (config: Config): string => `${config.name}-${configId(config)}`;

interface Lengths extends Pick<Resolved, 'rate' | 'stepsPerEpoch' | 'totalSteps'> {
  /** Drops are steps, not epochs. */
  inSteps: boolean;
}

function schedule(
  { schedule: kind, dropAt, factor, warmupEpochs, warmupFrom, ...given }: Config['learningRate'],
  { rate, stepsPerEpoch, totalSteps, inSteps }: Lengths,
): (step: number) => number {
  const { warmupSteps = Math.round(warmupEpochs * stepsPerEpoch) } = given;
  const unit = inSteps ? 1 : stepsPerEpoch;
  const drops = dropAt.map((at) => Math.round(at < 1 ? at * totalSteps : at * unit));
  const afterWarmup = (step: number) => {
    if (kind === 'constant') return rate;
    if (kind === 'step') return rate * factor ** drops.filter((drop) => step >= drop).length;
    return (rate / 2) * (1 + Math.cos((Math.PI * (step - warmupSteps)) / (totalSteps - warmupSteps)));
  };
  // From 0, the last step of the warm-up is the first at the full rate (Goyal et al. 2017, arXiv 1706.02677, §2.2); from a
  // share of it, the first step has that share, as in the code of the paper's detectors.
  const inWarmup = (step: number) =>
    warmupFrom === undefined
      ? (rate * (step + 1)) / warmupSteps
      : rate * (warmupFrom + ((1 - warmupFrom) * step) / warmupSteps);
  return (step) => tidy(step < warmupSteps ? inWarmup(step) : afterWarmup(step));
}

/** To 12 digits, so that 0.1 · 0.1² is 0.001. */
const tidy = (rate: number) => Number(rate.toPrecision(12));

/**
 * For data whose size is known, as it says how many steps an epoch has.
 *
 * @throws {UserError} where the training ends before the rate is reached, whichever of both is in steps
 */
export function requireEndOfWarmup(config: Config, { stepsPerEpoch, totalSteps }: Resolved): void {
  const { warmupSteps, warmupEpochs } = config.learningRate;
  const steps = warmupSteps ?? Math.round(warmupEpochs * stepsPerEpoch);
  if (steps <= totalSteps) return;
  const key = `learningRate.${warmupSteps === undefined ? 'warmupEpochs' : 'warmupSteps'}`;
  throw new UserError(`${key} is ${steps} steps long, and the training ${totalSteps}`, {
    place: placeOf(config, key),
    fix: 'shorten it, or train for longer',
  });
}

function tooLarge(config: Config, images: number): UserError {
  const { size, workers } = config.batch;
  const asked = workers === 1 ? `a batch of ${size}` : `${workers} workers with ${size} images each`;
  const key = workers > 1 && size <= images ? 'batch.workers' : 'batch.size';
  return new UserError(`${key}: ${asked} cannot be taken from ${images} training images`, {
    place: placeOf(config, key),
    fix: `choose batch.size · batch.workers no larger than ${images}`,
  });
}
