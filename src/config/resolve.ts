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
  const { batch, learningRate, epochs } = config;
  const imagesPerStep = batch.size * batch.workers;
  if (imagesPerStep > sizes.train) throw tooLarge(config, sizes.train);
  const stepsPerEpoch = Math.floor(sizes.train / imagesPerStep);
  const totalSteps = stepsPerEpoch * epochs;
  const rate = tidy((learningRate.base * imagesPerStep) / learningRate.per);
  return {
    rate,
    imagesPerStep,
    stepsPerEpoch,
    totalSteps,
    rateAt: schedule(learningRate, { rate, stepsPerEpoch, totalSteps }),
    id: configId(config),
    runName: resolvedName(config),
  };
}

/** The drops of `learningRate.dropAt` that lie behind the last epoch: the rate never drops there. */
export function dropsNeverReached({ learningRate, epochs }: Config): number[] {
  if (learningRate.schedule !== 'step') return [];
  return learningRate.dropAt.filter((at) => at >= 1 && at >= epochs);
}

/** The name of a run's folder: the configuration's name and its id. */
export const resolvedName = (config: Config): string => `${config.name}-${configId(config)}`;

function schedule(
  { schedule: kind, dropAt, factor, warmupEpochs }: Config['learningRate'],
  { rate, stepsPerEpoch, totalSteps }: { rate: number; stepsPerEpoch: number; totalSteps: number },
): (step: number) => number {
  const warmupSteps = Math.round(warmupEpochs * stepsPerEpoch);
  const drops = dropAt.map((at) => Math.round(at < 1 ? at * totalSteps : at * stepsPerEpoch));
  const afterWarmup = (step: number) => {
    if (kind === 'constant') return rate;
    if (kind === 'step') return rate * factor ** drops.filter((drop) => step >= drop).length;
    return (rate / 2) * (1 + Math.cos((Math.PI * (step - warmupSteps)) / (totalSteps - warmupSteps)));
  };
  // The last step of the warm-up is the first at the full rate (Goyal et al. 2017, arXiv 1706.02677, §2.2).
  return (step) => tidy(step < warmupSteps ? (rate * (step + 1)) / warmupSteps : afterWarmup(step));
}

/** To 12 digits, so that 0.1 · 0.1² is 0.001. */
const tidy = (rate: number) => Number(rate.toPrecision(12));

function tooLarge(config: Config, images: number): UserError {
  const { size, workers } = config.batch;
  const asked = workers === 1 ? `a batch of ${size}` : `${workers} workers with ${size} images each`;
  const key = workers > 1 && size <= images ? 'batch.workers' : 'batch.size';
  return new UserError(`${key}: ${asked} cannot be taken from ${images} training images`, {
    place: placeOf(config, key),
    fix: `choose batch.size · batch.workers no larger than ${images}`,
  });
}
