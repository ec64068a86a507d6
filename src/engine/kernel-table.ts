/**
 * The kernels of gnbench's own that a device has, each with its limits. Whatever is missing here, or beyond its
 * kernel's limits, is computed by its definition in TensorFlow's operations.
 */
import type { Precision } from './data-type.js';
import { loaded } from './load.js';

/** One entry: the operations that the kernel consists of, and what it takes. */
interface Kernel<Case> {
  operations: readonly string[];
  /** The limits in words, for people. */
  limits: string;
  fits(of: Case): boolean;
}

/** One convolution, as far as a kernel's limits depend on it. */
export interface ConvolutionCase {
  /** `[N, …pixels, C]` */
  input: readonly number[];
  /** `[…kernel, C, filters]` */
  weight: readonly number[];
  /** For each dimension of the pixels. */
  stride: readonly number[];
  padding: readonly number[];
  precision: Precision;
  /** The input is the image itself, whose gradient nobody needs. */
  ofImage: boolean;
}

/** One max-pooling: its input `[N, …pixels, C]`, and its windows' size along each dimension of the pixels. */
export interface PoolingCase {
  input: readonly number[];
  kernel: readonly number[];
}

function fitsConvolution({ input, weight, stride, padding, ofImage }: ConvolutionCase): boolean {
  const kernel = weight.slice(0, -2);
  const [channels, filters] = weight.slice(-2);
  const [side] = kernel;
  return (
    input.length === 4 &&
    side % 2 === 1 &&
    side <= 7 &&
    kernel.every((each) => each === side) &&
    padding.every((each) => each === (side - 1) / 2) &&
    stride.every((each) => each === stride[0] && each <= 2) &&
    filters % 16 === 0 &&
    (channels % 16 === 0 || (channels === 3 && ofImage))
  );
}

/** A GPU launches at most so many blocks along each of a grid's last two dimensions, of which one holds the images. */
const fitsGrid = ([images]: readonly number[]): boolean => loaded.device !== 'GPU' || images <= 65_535;
/** `[N, …pixels, C]` */
const isFeatureMap = (shape: readonly number[]): boolean => shape.length >= 2;
/** `[N, H, W, C]` */
const isPlane = (shape: readonly number[]): boolean => shape.length === 4;

/** The limits of all kernels, in one place: what the C++ beside `kernels/ops.cc` refuses, and where it is slower. */
const table = {
  convolution: {
    operations: ['GnbenchConv', 'GnbenchConvBackpropInput', 'GnbenchConvBackpropFilter'],
    limits:
      'two dimensions, kernel 1, 3, 5 or 7, stride 1 or 2, channels and filters in sixteens (or an image of 3 channels)',
    fits: fitsConvolution,
  },
  normalize: {
    operations: ['GnbenchNormalize', 'GnbenchNormalizeGrad'],
    limits: 'feature maps of any number of dimensions; on a GPU of at most 65,535 images',
    fits: (shape: readonly number[]) => isFeatureMap(shape) && fitsGrid(shape),
  },
  affine: {
    operations: ['GnbenchAffineRelu'],
    limits: 'feature maps of any number of dimensions; forward only',
    fits: isFeatureMap,
  },
  rectify: {
    operations: ['GnbenchRectify', 'GnbenchRectifyGrad'],
    limits: 'tensors of any shape',
    fits: () => true,
  },
  globalAverage: {
    operations: ['GnbenchGlobalAverage', 'GnbenchGlobalAverageGrad'],
    limits: 'two dimensions; on a GPU at most 65,535 images',
    fits: (shape: readonly number[]) => isPlane(shape) && fitsGrid(shape),
  },
  maxPool: {
    operations: ['GnbenchMaxPool', 'GnbenchMaxPoolGrad'],
    limits: 'two dimensions, windows of at most 256 pixels',
    fits: ({ input, kernel }: PoolingCase) =>
      isPlane(input) && kernel.reduce((pixels, size) => pixels * size, 1) <= 256,
  },
  subsample: {
    operations: ['GnbenchSubsample', 'GnbenchSubsampleGrad'],
    limits: 'two dimensions, one stride',
    fits: isPlane,
  },
  softmaxLoss: {
    operations: ['GnbenchSoftmaxLoss'],
    limits: 'logits [N, classes]',
    fits: (logits: readonly number[]) => logits.length === 2,
  },
  standardize: {
    operations: ['GnbenchImages'],
    limits: 'images [N, H, W, C] of bytes',
    fits: isPlane,
  },
  roiAlign: {
    operations: ['GnbenchRoiAlign', 'GnbenchRoiAlignGrad'],
    limits: 'maps [N, H, W, C] of a pyramid',
    fits: isPlane,
  },
  suppression: {
    operations: ['GnbenchNms'],
    limits: 'boxes [N, K, 4] in groups',
    fits: () => true,
  },
  matching: {
    operations: ['GnbenchMatchBoxes'],
    limits: 'boxes [A, 4] or [N, A, 4]',
    fits: () => true,
  },
  sampling: {
    operations: ['GnbenchSampleMatches'],
    limits: 'matches [N, A]',
    fits: () => true,
  },
  maskTargets: {
    operations: ['GnbenchMaskTargets'],
    limits: 'masks as run lengths, images smaller than 2^31 pixels',
    fits: () => true,
  },
  boxDecoding: {
    operations: ['GnbenchDecodeBoxes'],
    limits: 'codes [N, K, 4] or [N, K, R, 4], cut off at the border; no gradient',
    fits: () => true,
  },
  topOfLevels: {
    operations: ['GnbenchTopOfLevels'],
    limits: 'scores [N, K] of each level',
    fits: () => true,
  },
  smoothL1: {
    operations: ['GnbenchSmoothL1'],
    limits: 'tensors of any shape',
    fits: () => true,
  },
  chosenCrossEntropy: {
    operations: ['GnbenchChosenCrossEntropy', 'GnbenchChosenCrossEntropyGrad'],
    limits: 'maps [R, H, W, C]',
    fits: isPlane,
  },
  momentum: {
    operations: ['GnbenchSgd'],
    limits: 'variables of float32; compiled steps only',
    fits: () => true,
  },
  movingAverage: {
    operations: ['GnbenchMovingAverage'],
    limits: 'variables of float32; compiled steps only',
    fits: () => true,
  },
} satisfies { [name: string]: Kernel<ConvolutionCase> | Kernel<PoolingCase> | Kernel<readonly number[]> };

/** The kernels that may be used; a missing entry means that the definition is computed. */
export type Kernels = Partial<typeof table>;

/**
 * The kernels that this process may use: all that the addon has for its device, or none at all, so that every result is
 * that of the definitions, which are all that XLA can compile.
 */
export function kernels(use: 'kernels' | 'definitions'): Kernels {
  if (use === 'definitions' || loaded.xla) return {};
  const present = Object.entries(table).filter(([, { operations }]) => operations.every(isThere));
  return Object.fromEntries(present);
}

/** True when there is a kernel for the device: on the CPU for all of gnbench's operations, on a GPU for some. */
const isThere = (operation: string): boolean =>
  loaded.device === 'CPU' ? loaded.addon !== undefined : !!loaded.gpuOperations?.includes(operation);

/**
 * The instruction set in which the kernels compute convolutions of this precision: `avx2`, `amx_bf16`, …; undefined
 * where none are used.
 */
export const instructionSet = (bfloat16: boolean): string | undefined =>
  kernels('kernels').convolution && loaded.device === 'CPU'
    ? loaded.addon?.instructionSet(bfloat16)
    : undefined;

/** The names and limits of what is there, for `doctor`. */
export const describeKernels = (): { name: string; limits: string }[] =>
  Object.entries(kernels('kernels')).map(([name, { limits }]) => ({ name, limits }));
