import { z } from 'zod';
import { partOfModel } from './schema-model.js';

const factors = (least: z.ZodNumber) =>
  z
    .record(partOfModel, least.max(1_000_000))
    .transform((each) => (Object.keys(each).length > 0 ? each : undefined))
    .optional();

export const optimizerSchema = z.strictObject({
  momentum: z.number().min(0).lt(1).default(0.9).describe('The momentum of SGD'),
  nesterov: z
    .boolean()
    .default(true)
    .describe("Nesterov's momentum, as in fb.resnet.torch; He et al. have the plain one"),
  weightDecay: z
    .number()
    .min(0)
    .max(1)
    .default(1e-4)
    .describe('weight_decay (L2 penalty): this times the weights is added to the gradient'),
  decayNormalizer: z.boolean().default(true).describe('Weight decay on γ and β too (the paper, §4.1)'),
  decayBias: z.boolean().default(true).describe('Weight decay on biases too'),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'label_smoothing: share of a label that all classes get alike, in training (Szegedy et al. 2016, §7)',
    ),
  emaDecay: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'EMA (ema_decay): evaluate a running average of all weights, of which this share stays after a step; 0 for none',
    ),
  frozen: z
    .array(partOfModel)
    .max(1_000)
    // In one order, and nothing for none: what means the same has the same identity.
    .transform((parts) => (parts.length > 0 ? [...new Set(parts)].sort() : undefined))
    .optional()
    .describe(
      'Parts of the model that are not trained: stem, stage1, …; BN’s running statistics in them are used and stay. Roles too: gamma, beta, bias, weight',
    ),
  rates: factors(z.number().gt(0)).describe(
    'What the rate is multiplied by in parts of the model (head: 10; of several the smallest counts) and by role (bias: 2; roles are weight, bias, gamma, beta)',
  ),
  decay: factors(z.number().min(0)).describe(
    'What weightDecay is multiplied by in parts and by role, as rates are: {gamma: 0, beta: 0, bias: 0} for none on them',
  ),
});
