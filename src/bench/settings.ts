import { parseConfig } from '../config/load.js';
import { printConfig } from '../config/print.js';
import type { Config } from '../config/schema.js';
import { UserError } from '../errors.js';
import type { BenchSetting } from './measure.js';

/** The grid of settings to measure: each list is an axis. */
export interface BenchGrid {
  batch: number[];
  normalizer: string[];
  model: string;
  precision: string[];
  convolutions: string[];
  set: string[];
  steps: number;
  eager?: boolean;
  profile?: boolean;
}

/** Steps before the measurement: at least so many, but not more than are measured where a step takes seconds. */
const mostWarmup = 10;

/** The settings to measure: each batch size, normalizer, precision and kind of convolutions with each other. */
export function benchSettings({
  batch,
  normalizer,
  model,
  precision,
  convolutions,
  set,
  steps,
  eager = false,
  profile = false,
}: BenchGrid): BenchSetting[] {
  for (const assignment of set) {
    const flag = flagOf.get(assignment.split('=')[0].trim());
    if (flag) throw new UserError(`${flag} sets it`, { place: `--set ${assignment}`, fix: `use ${flag}` });
  }
  const text = `model: {name: resnet20}\nnormalizer: {name: none}\ndata: ${imagesFor(model, set)}\n`;
  const cells = precision.flatMap((format) =>
    batch.flatMap((size) =>
      normalizer.flatMap((name) =>
        convolutions.map((kind) => [
          `normalizer.name=${name}`,
          `batch.size=${size}`,
          `precision=${format}`,
          `engine.convolutions=${kind}`,
        ]),
      ),
    ),
  );
  return cells.map((cell) => {
    const overrides = [`model.name=${model}`, ...cell, ...set];
    return {
      config: printConfig(configOf(text, overrides)),
      eager,
      warmup: Math.min(mostWarmup, steps),
      steps,
      profile,
    };
  });
}

/**
 * The images that a model was made for, CIFAR's or ImageNet's, unless others are asked for. None is read: a step takes
 * as long on drawn pixels.
 */
function imagesFor(model: string, set: string[]): string {
  const others = set.some((assignment) => /^\s*data(\.name)?\s*=/.test(assignment));
  const ofImagenet = /^(resnet(18|34|50|101|152)|vgg16)$/.test(model);
  return ofImagenet && !others
    ? '{name: image-folder, expect: {classes: 1000, train: 1281167, val: 50000}}'
    : '{name: synthetic}';
}

/** Keys with a flag of their own are measured side by side, and cannot be set once more. */
const flagOf = new Map(
  Object.entries({
    model: '--model',
    'model.name': '--model',
    normalizer: '--normalizer',
    'normalizer.name': '--normalizer',
    batch: '--batch',
    'batch.size': '--batch',
    precision: '--precision',
    'engine.convolutions': '--convolutions',
  }),
);

/** @throws UserError that names the flag which a wrong value came from */
function configOf(text: string, overrides: string[]): Config {
  try {
    return parseConfig(text, { file: 'bench.yaml', overrides });
  } catch (error) {
    const { message, place = '', fix } = error as UserError;
    const flag = flagOf.get(/^--set ([\w.]+)/.exec(place)?.[1] ?? '');
    throw flag ? new UserError(message, { place: flag, fix }) : error;
  }
}
