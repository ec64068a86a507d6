/** The schema of a configuration's `data` key. */
import { z } from 'zod';

const images = z.int().min(1).max(1_000_000_000);

const choice = {
  classes: z
    .array(z.union([z.int().min(0).max(999_999), z.string().min(1).max(255)]))
    .refine((classes) => classes.length >= 2, 'has to name two classes or more')
    .max(1_000_000)
    .optional()
    .describe(
      'Only these classes, by number or by name, as labels 0, 1, … in this order; splits and subsets count within them',
    ),
  trainSubset: images
    .optional()
    .describe('Train on the first n of a fixed, class-balanced choice of the images'),
  valSubset: images
    .optional()
    .describe('Validate on the first n of a fixed, class-balanced choice of the images'),
  validation: z
    .union([z.literal('test'), z.strictObject({ fromTrain: images })])
    .default('test')
    .describe(
      'The test images, or n training images held out from training (val_split, hold-out), for tuning',
    ),
};

const augment = z.boolean().default(true);
const cifarAugment = augment.describe('Pad by 4, crop at random, flip at random');

const cifar = z.strictObject({
  name: z.enum(['cifar10', 'synthetic']),
  ...choice,
  augment: cifarAugment,
});

const cifar100 = z.strictObject({
  name: z.literal('cifar100'),
  labels: z.enum(['fine', 'coarse']).default('fine').describe('The 100 classes, or the 20 that they form'),
  ...choice,
  augment: cifarAugment,
});

const folder = z.string().min(1).max(4096);

/** Augmentation and evaluation as in fb.resnet.torch, which the paper's §4.1 refers to. */
const imageFolder = z.strictObject({
  name: z.literal('image-folder'),
  train: folder
    .default('imagenet/train')
    .describe('Training images: a folder for each class; relative to --data or $GNBENCH_DATA, or absolute'),
  val: folder.default('imagenet/val').describe('Validation images, in folders of the same names'),
  ...choice,
  augment: augment.describe(
    'Crop a part of random area and aspect ratio, change its colours, flip at random',
  ),
  resolution: z
    .int()
    .min(8)
    .max(2_048)
    .default(224)
    .describe(
      'Height and width that a model sees (input size, crop size); evaluation scales the shorter side to 256/224 of it',
    ),
  colourJitter: z
    .number()
    .min(0)
    .max(1)
    .default(0.4)
    .describe('color_jitter: brightness, contrast and saturation change by up to this share; 0 for none'),
  lighting: z
    .number()
    .min(0)
    .max(10)
    .default(0.1)
    .describe('Standard deviation of the lighting along the principal components of colour; 0 for none'),
  onBroken: z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe('An image that cannot be decoded (onDecodeError): ends the run, or is reported and left out'),
  decodedCache: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(4)
    .describe('Room for decoded images in the cache folder, in GB; 0 for none; no effect on the result'),
  expect: z
    .strictObject({
      classes: z.int().min(1).max(1_000_000).describe('Classes'),
      train: images.describe('Training images'),
      val: images.describe('Validation images'),
    })
    .optional()
    .describe(
      'The numbers that must be there (expectedCounts): checked before a run, assumed if the images are not there (config show)',
    ),
});

/** One mapping for each kind of data set; the key `name` tells them apart. */
export const dataSchemas = [cifar, cifar100, imageFolder] as const;

/** The `data` key of a configuration, every default filled in. */
export type DataConfig = z.output<(typeof dataSchemas)[number]>;

export type ImageFolderConfig = z.output<typeof imageFolder>;
