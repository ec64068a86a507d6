import { z } from 'zod';
import { byName } from './named.js';

/** ResNet-(6n+2) for 32×32 images: He et al. 2016, "Deep Residual Learning", §4.2. */
const cifarResNet = z.strictObject({
  name: z.enum(['resnet20', 'resnet32', 'resnet44', 'resnet56', 'resnet110']),
  shortcut: z
    .enum(['identity', 'projection'])
    .default('identity')
    .describe(
      'Where the shape changes: identity strides and adds channels of zeros (A), projection convolves 1×1 (B)',
    ),
});

/** The same with pre-activation blocks: He et al. 2016, "Identity Mappings in Deep Residual Networks". */
const preactivationResNet = cifarResNet.extend({
  name: z.enum([
    'preact-resnet20',
    'preact-resnet32',
    'preact-resnet44',
    'preact-resnet56',
    'preact-resnet110',
  ]),
});

/** For 224×224 images; `resnet18-cifar` with a 3×3 stem for 32×32. He et al. 2016, "Deep Residual Learning", §4.1. */
const resNet = z.strictObject({ name: z.enum(['resnet18', 'resnet34', 'resnet18-cifar']) });

const bottleneckResNet = z.strictObject({
  name: z.enum(['resnet50', 'resnet101', 'resnet152']),
  strideIn1x1: z
    .boolean()
    .default(false)
    .describe('The stride in the first 1×1 convolution of a block, as in He et al.; else in its 3×3'),
});

/** Simonyan & Zisserman 2015. */
const vgg = z.strictObject({
  name: z.literal('vgg16'),
  dropout: z.number().min(0).lt(1).default(0.5).describe('Share of the numbers that its head drops'),
});

/** ResNet over clips: the paper's §4.4, and its control without kernels over time. */
const clipResNet = z.strictObject({
  name: z.enum([
    'i3d-resnet18',
    'i3d-resnet34',
    'i3d-resnet50',
    'c2d-resnet18',
    'c2d-resnet34',
    'c2d-resnet50',
  ]),
  dropout: z.number().min(0).lt(1).default(0.5).describe('Share of the numbers that its head drops'),
  timeStrides: z
    .strictObject({
      conv1: z.int().min(1).max(2).default(2).describe('Of the first convolution'),
      pool1: z.int().min(1).max(2).default(2).describe('Of the pooling behind it'),
      pool2: z.int().min(1).max(2).default(2).describe('Of the pooling behind the first stage'),
    })
    .prefault({})
    .describe(
      'Strides over time: 2 each for the 32 frames of the paper; 1, 1, 2 for the 8×8 setting of later code',
    ),
});

export const modelSchema = byName([
  cifarResNet,
  preactivationResNet,
  resNet,
  bottleneckResNet,
  vgg,
  clipResNet,
]);

/** `stem`, `stage1.block0`, `head.weight`: the first words of variables' names. */
export const partOfModel = z
  .string()
  .max(200)
  .regex(/^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*$/, 'the first words of variables’ names, such as stage1');
