/** The schema of a configuration's `data` key. */
import { z } from 'zod';

const images = z.int().min(1).max(1_000_000_000);

const classList = z.array(z.union([z.int().min(0).max(999_999), z.string().min(1).max(255)])).max(1_000_000);

const which =
  'Only these classes, by number or by name, as labels 0, 1, … in this order; splits and subsets count within them';

const choice = {
  classes: classList
    .refine((classes) => classes.length >= 2, 'has to name two classes or more')
    .optional()
    .describe(which),
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

/** A detector may look for a single class: the rest is background. */
const choiceOfObjects = {
  ...choice,
  classes: classList
    .refine((classes) => classes.length >= 1, 'has to name a class')
    .optional()
    .describe(which),
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

/** Ten classes of ImageNet that are easily told apart; its authors publish it in three sizes. */
const imagenette = imageFolder.omit({ name: true, train: true, val: true, expect: true }).extend({
  name: z.literal('imagenette'),
  size: z
    .literal([160, 320, 'full'])
    .default(160)
    .describe('The shorter side of the photographs: 160 (99 MB), 320 (342 MB), or as in ImageNet (1.6 GB)'),
  resolution: imageFolder.shape.resolution
    .unwrap()
    .default(128)
    .describe(
      'Height and width that a model sees (input size, crop size); evaluation scales the shorter side to 256/224 of it',
    ),
});

const flip = z.boolean().default(true).describe('Mirror half of the training images, with boxes and masks');

const mostObjects = z
  .int()
  .min(1)
  .max(10_000)
  .default(100)
  .describe(
    'Objects an image that a step learns from at the most; those left out are said, and are background',
  );

/** Images with boxes and masks in COCO's form; sizes as in the paper's section 4.2. */
const coco = z.strictObject({
  name: z.literal('coco'),
  train: folder
    .default('coco/train2017')
    .describe('The folder of training images; relative to --data or $GNBENCH_DATA, or absolute'),
  trainAnnotations: folder
    .default('coco/annotations/instances_train2017.json')
    .describe("The training images' annotations"),
  val: folder.default('coco/val2017').describe('The folder of validation images'),
  valAnnotations: folder
    .default('coco/annotations/instances_val2017.json')
    .describe("The validation images' annotations"),
  ...choiceOfObjects,
  shorterSide: z
    .int()
    .min(16)
    .max(8_192)
    .default(800)
    .describe('Images are scaled until their shorter side has so many pixels (min_size)'),
  longerSide: z
    .int()
    .min(16)
    .max(8_192)
    .default(1333)
    .describe('but their longer side no more than these (max_size)'),
  canvas: z
    .enum(['turned', 'square'])
    .default('turned')
    .describe(
      'turned: a lying and an upright canvas, and a batch is of one kind; square: one for all, of the longer side',
    ),
  flip,
  mostObjects,
  onBroken: z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe(
      'A broken annotation, or an image that is missing, broken or of another size: ends the run, or is left out',
    ),
  emptyImages: z
    .enum(['drop', 'keep'])
    .default('drop')
    .describe(
      'Training images without an object, crowds aside: left out, as in Detectron, or learnt from as background',
    ),
  decodedCache: imageFolder.shape.decodedCache,
  expect: imageFolder.shape.expect,
});

const shapes = z.strictObject({
  name: z.literal('shapes'),
  side: z.int().min(32).max(1_024).default(128).describe('Height and width of the drawn scenes'),
  trainImages: images.max(1_000_000).default(1_000).describe('Scenes that are drawn for training'),
  valImages: images.max(1_000_000).default(200).describe('Scenes that are drawn for validation'),
  ...choiceOfObjects,
  flip,
});

const frames = z.int().min(1).max(256).describe('Frames of a clip');

/** Drawn clips of eight motions; a flip or a crop would change the class, so there is no augmentation. */
const syntheticVideo = z.strictObject({
  name: z.literal('synthetic-video'),
  ...choice,
  frames: frames.default(8),
  side: z.int().min(16).max(256).default(32).describe('Height and width of a frame'),
  frameOrder: z
    .enum(['shown', 'shuffled'])
    .default('shown')
    .describe('shuffled: the frames of each clip in an order of its own, a control that hides all motion'),
});

/** The same motions of photographs; from epoch to epoch each of them moves in another way. */
const motionOfPhotographs = z.strictObject({
  name: z.literal('motion-of-photographs'),
  train: folder
    .default('imagenet/train')
    .describe(
      'Photographs that move in training: a folder of folders of images, whose names do not matter; relative to --data or $GNBENCH_DATA, or absolute',
    ),
  val: folder.default('imagenet/val').describe('Photographs that move in validation'),
  ...choice,
  frames: frames.default(8),
  side: z.int().min(16).max(256).default(56).describe('Height and width of a frame'),
  frameOrder: syntheticVideo.shape.frameOrder,
  augment: augment.describe('Move the photographs anew in each epoch; without it as in the first'),
  onBroken: imageFolder.shape.onBroken,
  decodedCache: imageFolder.shape.decodedCache,
  expect: imageFolder.shape.expect,
});

/** Clips, sampled and cropped as in the code that the paper used. */
const videoFolder = z.strictObject({
  name: z.literal('video-folder'),
  train: folder
    .default('kinetics400/train')
    .describe(
      'Training clips: a folder for each class, in it files (mp4, avi, mkv, webm, mov) or folders of frames, or a list of Kinetics, train.csv, beside a folder train of its files; relative to --data or $GNBENCH_DATA, or absolute',
    ),
  val: folder
    .default('kinetics400/val')
    .describe('Validation clips, in folders of the same names, or a list of the same classes'),
  ...choice,
  frames: frames.default(32),
  interval: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe('Every how many frames one is taken (sampling_rate); a clip that is too short begins again'),
  resolution: z
    .int()
    .min(16)
    .max(512)
    .default(224)
    .describe('Height and width that a model sees; evaluation scales the shorter side to 256/224 of it'),
  augment: augment.describe('Begin and crop at random, jitter the scale, flip the whole clip at random'),
  jitter: z
    .number()
    .min(0)
    .max(4)
    .default(0.25)
    .describe(
      'In training the shorter side is 256/224 of the resolution and up to this share more: 256 to 320 for 224',
    ),
  views: z
    .strictObject({
      clips: z.int().min(1).max(100).default(10).describe('Clips spread evenly over a video'),
      crops: z.literal([1, 3]).default(1).describe('The centre, or three squares along the longer side'),
    })
    .prefault({})
    .describe(
      'Views of a video in the last evaluation, whose softmax outputs are averaged (num_clips, num_crops); those before it take the one in the middle',
    ),
  onBroken: z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe('A clip that cannot be decoded: ends the run, or is reported and left out'),
  decodedCache: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(4)
    .describe('Room for decoded frames in the cache folder, in GB; 0 for none; no effect on the result'),
  expect: imageFolder.shape.expect,
});

/** One mapping for each kind of data set; the key `name` tells them apart. */
export const dataSchemas = [
  cifar,
  cifar100,
  imageFolder,
  imagenette,
  coco,
  shapes,
  syntheticVideo,
  motionOfPhotographs,
  videoFolder,
] as const;

/** The `data` key of a configuration, every default filled in. */
export type DataConfig = z.output<(typeof dataSchemas)[number]>;

export type ImageFolderConfig = z.output<typeof imageFolder>;

export type ImagenetteConfig = z.output<typeof imagenette>;

export type CocoConfig = z.output<typeof coco>;
export type ShapesConfig = z.output<typeof shapes>;

/** True when training images are to be changed at random. */
export const isAugmented = (data: DataConfig): boolean =>
  'flip' in data ? data.flip : 'augment' in data && data.augment;
export type VideoFolderConfig = z.output<typeof videoFolder>;
export type SyntheticVideoConfig = z.output<typeof syntheticVideo>;
export type MotionOfPhotographsConfig = z.output<typeof motionOfPhotographs>;
