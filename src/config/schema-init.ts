import { z } from 'zod';

/** The schema of a run's weights before its first step. */
export const initSchema = z
  .union([
    z.literal('scratch'),
    z.strictObject({
      weights: z
        .string()
        .min(1)
        .max(4096)
        .describe(
          'A .safetensors file in gnbench’s names, or a run’s folder: its newest checkpoint; relative to the working folder. {seed} stands for the run’s seed',
        ),
      head: z
        .enum(['keep', 'new'])
        .default('keep')
        .describe('The last layer: from the weights too, or drawn anew, as another number of classes needs'),
      inflate: z
        .literal(true)
        .optional()
        .describe(
          'For I3D: from the weights of a ResNet over images; a kernel over time is the image’s, repeated and divided by its length',
        ),
    }),
  ])
  // The absence of weights, as a value for an experiment's axis.
  .transform((init) => (init === 'scratch' ? undefined : init));
