import { didYouMean, UserError } from '../errors.js';
import { cifar10, cifar100, cifar100Coarse } from './checksums.js';
import { readCifar } from './cifar.js';
import type { DataConfig, Dataset, PhotoConfig } from './dataset.js';
import { provideCifar } from './download/provide.js';
import { drawSynthetic } from './synthetic.js';

export { augmentInto } from '../input/augment.js';
export { openTrainBatches, type TrainBatches, type TrainBatchesOptions } from '../input/batches.js';
export { type EvaluationBatches, type Images, openEvaluationBatches } from '../input/evaluation-batches.js';
export { epochOrder } from '../input/order.js';
export type { DataConfig, Dataset, PhotoConfig, Split } from './dataset.js';
export { balancedOrder } from './subset.js';
export { syntheticSizes } from './synthetic.js';

const loaders: Record<string, (data: DataConfig, options: LoadOptions) => Promise<Dataset>> = {
  cifar10: async (data, options) => readCifar(cifar10, await provideCifar(cifar10, options), data),
  cifar100: async (data, options) => {
    const folder = await provideCifar(cifar100, options);
    return readCifar(data.labels === 'coarse' ? cifar100Coarse : cifar100, folder, data);
  },
  'image-folder': async (data, options) => {
    // Loaded here: it brings the image library.
    const { openPhotos } = await import('./image-folder/index.js');
    return openPhotos(data as PhotoConfig, options);
  },
  synthetic: async (data) => drawSynthetic(data),
};

export const datasetNames = Object.keys(loaders);

export interface LoadOptions {
  /** Searched first; see `locate`. */
  dataFolder?: string;
  /** No progress bar while downloading. */
  quiet?: boolean;
}

/**
 * The data set that the `data` key of a configuration names, its subsets and validation split applied.
 *
 * @throws {UserError} when it is nowhere and cannot be downloaded, or what is there is not sound
 */
export async function loadDataset(data: DataConfig, options: LoadOptions = {}): Promise<Dataset> {
  if (!Object.hasOwn(loaders, data.name)) throw unknownDataset(data.name);
  return loaders[data.name](data, options);
}

/** @returns the error for a name that is no data set's, with the nearest one that is */
export function unknownDataset(name: string): UserError {
  const near = didYouMean(name, datasetNames);
  return new UserError(
    `no data set is called ${JSON.stringify(name)}${near ? `; did you mean ${near}?` : ''}`,
    {
      fix: `one of ${datasetNames.join(', ')}`,
    },
  );
}
