import type { Config } from '../config/schema.js';
import { cifar10, cifar100 } from './checksums.js';

/** Per channel, on the scale of 0 … 255: what images are standardized with. */
export interface PixelStatistics {
  mean: number[];
  std: number[];
}

/** ImageNet's, as in fb.resnet.torch, torchvision and timm. */
const imagenet: PixelStatistics = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };

/** Measured over the training images. */
const synthetic: PixelStatistics = { mean: [126.4, 128.3, 126.2], std: [53.2, 53.3, 54.1] };

/** Those of the data set of this name. */
export function pixelStatistics(name: Config['data']['name']): PixelStatistics {
  const { mean, std } = { cifar10, cifar100, 'image-folder': imagenet, synthetic }[name];
  return { mean, std };
}
