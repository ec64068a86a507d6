import type { Sizes } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { cifar10 } from './checksums.js';
import { syntheticSizes } from './synthetic.js';

/** What is known of a data set before it is loaded. */
export interface Published {
  /** Images of the published training and test set, before splits and subsets. */
  sizes: Sizes;
  classes: number;
  /** One image, `[height, width, channels]`. */
  shape: [number, number, number];
}

const imagesIn = (files: string[]) => files.reduce((sum, file) => sum + cifar10.records[file], 0);

const known: Record<Config['data']['name'], Published> = {
  cifar10: {
    sizes: { train: imagesIn(cifar10.train), validation: imagesIn(cifar10.test) },
    classes: cifar10.classes,
    shape: [32, 32, 3],
  },
  synthetic: { sizes: syntheticSizes, classes: 10, shape: [32, 32, 3] },
};

export const published = (data: Config['data']): Published => known[data.name];
