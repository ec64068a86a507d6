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

// The models that find objects: Ren et al. 2015 and He et al. 2017, with the numbers of the paper's code.
const count = z.int().min(1).max(100_000);
const channels = z.int().min(1).max(8_192);

const forTrainAndTest = z
  .strictObject({ train: count.describe('In training'), test: count.describe('In evaluation') })
  .optional();

const shape = {
  backbone: z
    .enum(['resnet18', 'resnet34', 'resnet50', 'resnet101'])
    .default('resnet50')
    .describe('The network whose stages give the features'),
  strideIn1x1: z
    .boolean()
    .default(false)
    .describe('The stride in the first 1×1 convolution of a block, as in He et al.; else in its 3×3'),
  neck: z
    .enum(['fpn', 'c4'])
    .default('fpn')
    .describe(
      'fpn: a pyramid of features; c4: the map behind the third stage, and the fourth is applied to each region',
    ),
  neckChannels: channels.default(256).describe("Channels of the pyramid's maps"),
  boxHead: z
    .enum(['2fc', '4conv1fc'])
    .default('2fc')
    .describe('Layers before class and box are predicted; with c4 it is the fourth stage'),
  headChannels: channels.default(256).describe('Channels of the convolutions in the heads'),
  denseUnits: channels.default(1024).describe('Units of the dense layers in the box head'),
  anchors: z
    .strictObject({
      sizes: z
        .array(z.number().gt(0).max(10_000))
        .min(1)
        .max(20)
        .default([32, 64, 128, 256, 512])
        .describe(
          'Square roots of their areas in pixels: one for each of the five levels of the pyramid; with c4 any number',
        ),
      ratios: z
        .array(z.number().gt(0).max(100))
        .min(1)
        .max(20)
        .default([0.5, 1, 2])
        .describe('Height over width'),
      border: z
        .enum(['drop', 'keep'])
        .default('drop')
        .describe("drop: anchors that cross the image's border are not learnt from; later code keeps them"),
      rounded: z
        .boolean()
        .default(true)
        .describe('Corners at whole pixels, as in the paper’s code; later code leaves them where they are'),
    })
    .prefault({})
    .describe('The boxes that proposals start from'),
  proposals: z
    .strictObject({
      channels: channels
        .optional()
        .describe("Channels of the layer before them; the neck's when left out, 1024 with c4"),
      perImage: count
        .default(256)
        .describe('Anchors an image that a step learns from, half of them objects at most'),
      candidates: forTrainAndTest.describe(
        'The best of each level before suppression; 2000 and 1000 when left out, 12000 and 6000 with c4',
      ),
      kept: forTrainAndTest.describe(
        'Proposals of an image behind it; 1000 and 1000 when left out (the paper’s code: 2000 of two images), 2000 and 1000 with c4',
      ),
      smoothL1: z
        .number()
        .min(0)
        .max(10)
        .default(1 / 9)
        .describe('β of their boxes’ smooth L1 loss; 0: L1'),
    })
    .prefault({})
    .describe('The region proposal network'),
  regions: z
    .strictObject({
      perImage: count.default(512).describe('Regions (RoIs) an image that a step learns from'),
      positive: z.number().gt(0).max(1).default(0.25).describe('The largest share of them that are objects'),
      smoothL1: z.number().min(0).max(10).default(1).describe('β of their boxes’ smooth L1 loss; 0: L1'),
    })
    .prefault({})
    .describe('What the heads are trained on'),
  pooling: z
    .strictObject({
      box: z.int().min(1).max(64).default(7).describe('Sides of the features for the box head; with c4 14'),
      mask: z
        .int()
        .min(1)
        .max(64)
        .default(14)
        .describe('Sides for the mask head; a mask has twice as many pixels'),
      sampling: z
        .int()
        .min(0)
        .max(16)
        .optional()
        .describe('Samples a bin and side; 0: as many as it has pixels. 2 when left out, 0 with c4'),
      aligned: z
        .boolean()
        .default(false)
        .describe('Pixels are points at their centres, as in later code; the paper’s is half a pixel off'),
      alignedMasks: z
        .boolean()
        .default(true)
        .describe('The same for true masks, as found ones are put back; torchvision’s are half a pixel off'),
    })
    .prefault({})
    .describe('RoIAlign'),
  detections: z
    .strictObject({
      most: z.int().min(1).max(1_000).default(100).describe('Of an image at the most'),
      minScore: z.number().min(0).max(1).default(0.05).describe('With a lower score it is none'),
      overlap: z
        .number()
        .gt(0)
        .max(1)
        .default(0.5)
        .describe('A worse one of the same class that overlaps by so much is left out'),
    })
    .prefault({})
    .describe('What is found in evaluation'),
};

const detectors = [
  z.strictObject({ name: z.literal('faster-rcnn'), ...shape }),
  z.strictObject({
    name: z.literal('mask-rcnn'),
    ...shape,
    maskConvolutions: z.int().min(0).max(32).default(4).describe('Convolutions of the mask head'),
  }),
] as const;

const names: readonly string[] = detectors.flatMap(({ shape: { name } }) => [...name.values]);

/** True for the models that find objects. */
export const isDetectorName = (name: string): boolean => names.includes(name);

export const modelSchema = byName([
  ...detectors,
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

/** True for the networks over clips, I3D and its control C2D. */
export const isOverClips = (name: string): boolean => /^(i3d|c2d)-/.test(name);

/** The examples that a model of this name learns from. */
export const examplesOfModel = (name: string): 'clips' | 'images' => (isOverClips(name) ? 'clips' : 'images');
