/** The metadata in a file of weights: the network that they belong to, and where they come from. */
import { isDeepStrictEqual } from 'node:util';
import { printConfig } from '../config/print.js';
import type { Config } from '../config/schema.js';
import { pixelStatistics } from '../datasets/pixel-statistics.js';
import { version } from '../version.js';

/** The network that weights belong to; both keys as in a configuration. */
export type Architecture = Pick<Config, 'model' | 'normalizer'>;

/** Strings only, as the format has it; model and normalizer are JSON. */
export const describeArchitecture = (
  { model, normalizer }: Architecture,
  classes: number,
): Record<string, string> => ({
  gnbench: version,
  model: JSON.stringify(model),
  normalizer: JSON.stringify(normalizer),
  classes: String(classes),
});

/** Weights of a run of `config` after `step` steps. */
export function describeWeights(
  config: Config,
  {
    step,
    averaged,
    classes,
    classNames,
  }: { step: number; averaged: boolean; classes: number; classNames?: readonly string[] },
): Record<string, string> {
  const { mean, std } = pixelStatistics(config.data.name);
  return {
    ...describeArchitecture(config, classes),
    ...(classNames && { classNames: JSON.stringify(classNames) }),
    weights: averaged ? 'running averages' : 'of the last step',
    step: String(step),
    data: config.data.name,
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
    config: printConfig(config),
  };
}

/** Reads what `describeArchitecture` wrote; undefined when the metadata are missing or not valid. */
export function architectureOf(metadata: Record<string, string>): Architecture | undefined {
  try {
    const [model, normalizer] = [JSON.parse(metadata.model), JSON.parse(metadata.normalizer)];
    const named = typeof model.name === 'string' && typeof normalizer.name === 'string';
    return named ? { model, normalizer } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The classes that the weights' outputs stand for, where they are others than the data's; undefined where they are the
 * same or have no names.
 */
export function otherClasses(
  { classNames }: Record<string, string>,
  data: readonly string[] | undefined,
): { weights: string[]; data: readonly string[] } | undefined {
  if (classNames === undefined || !data) return undefined;
  try {
    const weights: unknown = JSON.parse(classNames);
    if (!Array.isArray(weights) || isDeepStrictEqual(weights, [...data])) return undefined;
    return { weights: weights.map(String), data };
  } catch {
    return undefined;
  }
}

/** The mean and deviation that the weights' images were standardized with, where the data's are others: in words. */
export function otherPixels(
  { mean, std }: Record<string, string>,
  data: Config['data']['name'],
): string | undefined {
  const own = pixelStatistics(data);
  const [ours, theirs] = [JSON.stringify([own.mean, own.std]), `[${mean},${std}]`];
  if (mean === undefined || std === undefined || ours === theirs) return undefined;
  return `mean ${mean} and deviation ${std}, here ${JSON.stringify(own.mean)} and ${JSON.stringify(own.std)}`;
}

/** The keys that change a network's function and not the shapes of its variables. */
const keysNotCheckedByShape = [
  ['model', 'strideIn1x1'],
  ['model', 'timeStrides'],
  ['normalizer', 'name'],
  ['normalizer', 'groups'],
  ['normalizer', 'channelsPerGroup'],
  ['normalizer', 'epsilon'],
  ['normalizer', 'weightStandardization'],
  ['normalizer', 'parts'],
] as const;

/** The same of a classifier's weights that begin a detector's backbone, whatever normalizer goes on from them. */
export function backboneDifferences(
  metadata: Record<string, string>,
  { model, normalizer }: Architecture,
): string[] {
  const { parts, ...whole } = normalizer;
  const backbone = { model, normalizer: parts?.backbone ?? whole } as Architecture;
  return differencesShapesDoNotShow(metadata, backbone).filter(
    // A key that only one of the two has tells nothing.
    (difference) => !/^normalizer\.name | undefined/.test(difference),
  );
}

/** How the weights were computed with otherwise than `config` says, which their names and shapes don't show. */
export function differencesShapesDoNotShow(metadata: Record<string, string>, config: Architecture): string[] {
  const theirs = architectureOf(metadata);
  if (!theirs) return [];
  return keysNotCheckedByShape.flatMap(([part, key]) => {
    const [value, own] = [theirs, config].map(
      (each) =>
        (each[part] as Record<string, unknown>)[key] ?? (key === 'weightStandardization' ? false : undefined),
    );
    return isDeepStrictEqual(value, own)
      ? []
      : [`${part}.${key} ${JSON.stringify(value)}, here ${JSON.stringify(own)}`];
  });
}
