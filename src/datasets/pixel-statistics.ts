import { cifar10, cifar100 } from './checksums.js';
import type { DataConfig } from './schema.js';

/** The mean and standard deviation that images are standardized with, per channel, on the scale of 0 … 255. */
export interface PixelStatistics {
  mean: number[];
  std: number[];
}

/** ImageNet's, as in fb.resnet.torch, torchvision and timm. */
const imagenet: PixelStatistics = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };

/** Measured over the training images. */
const synthetic: PixelStatistics = { mean: [126.4, 128.3, 126.2], std: [53.2, 53.3, 54.1] };

/** The drawn scenes', measured over 1,000 training images. */
const shapes: PixelStatistics = { mean: [128.7, 129.1, 129.2], std: [48.4, 47.6, 47.7] };

/** The code that the paper used for clips takes one mean and one deviation for all channels. */
const clips: PixelStatistics = { mean: [114.75, 114.75, 114.75], std: [57.375, 57.375, 57.375] };

/** The statistics of the data set of this name. */
export function pixelStatistics(name: DataConfig['name']): PixelStatistics {
  const { mean, std } = {
    cifar10,
    cifar100,
    'image-folder': imagenet,
    imagenette: imagenet,
    coco: imagenet,
    synthetic,
    shapes,
    'synthetic-video': clips,
    'motion-of-photographs': clips,
    'video-folder': clips,
  }[name];
  return { mean, std };
}
