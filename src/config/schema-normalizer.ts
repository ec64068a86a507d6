import { z } from 'zod';
import { byName, nameOrAlias } from './named.js';
import type { modelSchema } from './schema-model.js';

const epsilon = z.number().gt(0).max(1).default(1e-5).describe('ε, added to the variance');
const divisor = z.int().min(1).max(65_536).optional();

/** The paper's four (§3.1, §3.2), and none. */
export const normalizerSchema = byName([
  z.strictObject({
    name: nameOrAlias('batch', ['bn']),
    epsilon,
    momentum: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .describe('Of the running averages: the share of the old value that stays after a step'),
  }),
  z.strictObject({
    name: nameOrAlias('group', ['gn']),
    groups: divisor.describe(
      'G: groups of channels in every layer; 8 for models with 16-channel stages, else 32',
    ),
    channelsPerGroup: divisor.describe('Instead of `groups`: channels in every group'),
    epsilon,
  }),
  z.strictObject({ name: nameOrAlias('layer', ['ln']), epsilon }),
  z.strictObject({ name: nameOrAlias('instance', ['in']), epsilon }),
  z.strictObject({ name: z.literal('none') }),
]);

/** The paper's G is 32, which the CIFAR models' 16 channels cannot have; others use 8 there. */
export function defaultGroups(model: z.output<typeof modelSchema>['name']): number {
  return /^resnet(20|32|44|56|110)$/.test(model) ? 8 : 32;
}
