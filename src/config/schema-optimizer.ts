import { z } from 'zod';

/** `stem`, `stage1.block0`, `head.weight`: the first words of variables' names. */
const partOfModel = z
  .string()
  .max(200)
  .regex(/^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*$/, 'the first words of variables’ names, such as stage1');

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
      'Parts of the model that are not trained: stem, stage1, …; BN’s running statistics in them are used and stay',
    ),
  rates: z
    .record(partOfModel, z.number().gt(0).max(1_000_000))
    .transform((rates) => (Object.keys(rates).length > 0 ? rates : undefined))
    .optional()
    .describe(
      'What the rate is multiplied by in parts of the model: head: 10; of several the longest counts',
    ),
});
