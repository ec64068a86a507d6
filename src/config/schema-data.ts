import { z } from 'zod';
import { byName } from './named.js';

const images = z.int().min(1).max(1_000_000_000);

const choice = {
  trainSubset: images
    .optional()
    .describe('Train on the first n of a fixed, class-balanced choice of the images'),
  valSubset: images
    .optional()
    .describe('Validate on the first n of a fixed, class-balanced choice of the images'),
  validation: z
    .union([z.literal('test'), z.strictObject({ fromTrain: images })])
    .default('test')
    .describe('The test images, or n of the training images that are then not trained on (for tuning)'),
  augment: z.boolean().default(true).describe('Pad by 4, crop at random, flip at random'),
};

export const dataSchema = byName([z.strictObject({ name: z.enum(['cifar10', 'synthetic']), ...choice })]);
