import { z } from 'zod';
import { byName, nameOrAlias } from './named.js';
import type { modelSchema } from './schema-model.js';
import { partOfModel } from './schema-model.js';

const epsilon = z.number().gt(0).max(1).default(1e-5).describe('ε, added to the variance');
const momentum = z
  .number()
  .min(0)
  .lt(1)
  .default(0.9)
  .describe('Of the running averages: the share of the old value that stays after a step');
const weightStandardization = z
  .boolean()
  .default(false)
  .describe('Give the filters of every convolution mean 0 and variance 1 (Qiao et al. 2019)');
const divisor = z.int().min(1).max(65_536).optional();

// The paper's four (§3.1, §3.2), none, what the paper compares with (§4.1, §4.2), and what came after it.
const batch = z.strictObject({
  name: nameOrAlias('batch', ['bn']),
  epsilon,
  momentum,
  weightStandardization,
});
const group = z.strictObject({
  name: nameOrAlias('group', ['gn']),
  groups: divisor.describe(
    'G: groups of channels in every layer; 8 for models with 16-channel stages, else 32',
  ),
  channelsPerGroup: divisor.describe('Instead of `groups`: channels in every group'),
  epsilon,
  weightStandardization,
});
const layer = z.strictObject({ name: nameOrAlias('layer', ['ln']), epsilon, weightStandardization });
const instance = z.strictObject({ name: nameOrAlias('instance', ['in']), epsilon, weightStandardization });
const none = z.strictObject({
  name: z.literal('none'),
  zeroBranches: z
    .boolean()
    .default(false)
    .describe(
      'Start the last convolution of each residual block at 0, so that blocks begin as their shortcuts, as γ = 0 lets them with a normalizer (Fixup, Zhang et al. 2019)',
    ),
  weightStandardization,
});
const syncBatch = z.strictObject({ name: z.literal('sync-batch'), epsilon, momentum, weightStandardization });
const frozenBatch = z.strictObject({
  name: z.literal('frozen-batch'),
  epsilon,
  affine: z
    .enum(['fixed', 'trained'])
    .default('fixed')
    .describe('Whether γ and β stay those of pre-training, as in the paper’s code'),
  weightStandardization,
});
const batchRenorm = z.strictObject({
  name: z.literal('batch-renorm'),
  epsilon,
  momentum,
  rMax: z.number().min(1).max(1e6).default(1.5).describe('Bound of the correction of the spread, once risen'),
  dMax: z.number().min(0).max(1e6).default(0.5).describe('Bound of the correction of the mean, once risen'),
  warmup: z
    .array(z.number().min(0).max(1))
    .length(2)
    .default([0.03, 0.25])
    .describe('Shares of the training at which the bounds begin to rise from 1 and 0, and have risen'),
  weightStandardization,
});
const filterResponse = z.strictObject({
  name: z.literal('filter-response'),
  epsilon: z.number().gt(0).max(1).default(1e-6).describe('ε, added to the mean square'),
  weightStandardization,
});
const weightNorm = z.strictObject({ name: z.literal('weight-norm') });

const normalizerOfPart = byName([
  batch,
  group,
  layer,
  instance,
  none,
  syncBatch,
  frozenBatch,
  batchRenorm,
  filterResponse,
  weightNorm,
]).meta({ id: 'normalizerOfPart' }); // written once in the JSON schema

/** A part may have another normalizer, but no parts of its own: they are named from the outermost word on. */
const withParts = <Shape extends z.core.$ZodLooseShape>(branch: z.ZodObject<Shape, z.core.$strict>) =>
  branch.extend({
    parts: z
      .record(partOfModel, normalizerOfPart)
      // Nothing for none: what means the same has the same identity.
      .transform((parts) => (Object.keys(parts).length > 0 ? parts : undefined))
      .optional()
      .describe(
        'Other normalizers in parts of the model: backbone: {name: frozen-batch}; of several the smallest part counts',
      ),
  });

export const normalizerSchema = byName([
  withParts(batch),
  withParts(group),
  withParts(layer),
  withParts(instance),
  withParts(none),
  withParts(syncBatch),
  withParts(frozenBatch),
  withParts(batchRenorm),
  withParts(filterResponse),
  withParts(weightNorm),
]);

export type NormalizerOfPart = z.output<typeof normalizerOfPart>;
type NormalizerConfig = z.output<typeof normalizerSchema>;

/** The network's own normalizer and those of its parts, each with its path in a configuration. */
export function allNormalizers(
  normalizer: NormalizerConfig,
): { path: string[]; normalizer: NormalizerOfPart }[] {
  const { parts = {} } = normalizer;
  const inParts = Object.entries(parts).map(([part, each]) => ({
    path: ['normalizer', 'parts', part],
    normalizer: each,
  }));
  return [{ path: ['normalizer'], normalizer }, ...inParts];
}

/**
 * The images that share statistics in training: each has its own, those of a worker do, or all of a step; the most that
 * share them in any part.
 */
export function statisticsSpan(config: NormalizerConfig): 'image' | 'worker' | 'step' {
  const names = allNormalizers(config).map(({ normalizer }) => normalizer.name);
  if (names.includes('sync-batch')) return 'step';
  return names.some((name) => name === 'batch' || name === 'batch-renorm') ? 'worker' : 'image';
}

/** The paper's G is 32, which the CIFAR models' 16 channels cannot have; others use 8 there. */
export function defaultGroups(model: z.output<typeof modelSchema>['name']): number {
  return /^(preact-)?resnet(20|32|44|56|110)$/.test(model) ? 8 : 32;
}
