import { didYouMean, UserError } from '../errors.js';
import { cifar10, cifar100, cifar100Coarse } from './checksums.js';
import { readCifar } from './cifar.js';
import type { Dataset } from './dataset.js';
import { provideCifar } from './download/provide.js';
import type { DataConfig } from './schema.js';
import { drawSynthetic } from './synthetic.js';
import { drawSyntheticVideo } from './video/synthetic-video.js';

export type { Dataset, Split } from './dataset.js';

const datasetNames = [
  'cifar10',
  'cifar100',
  'image-folder',
  'imagenette',
  'synthetic',
  'coco',
  'shapes',
  'synthetic-video',
  'motion-of-photographs',
  'video-folder',
] as const;

export interface LoadDatasetOptions {
  /** Searched first; see `locate`. */
  dataFolder?: string;
  /** No progress bar while downloading. */
  quiet?: boolean;
  /** The path of FFmpeg, for clips in files; it throws where there is none. */
  ffmpeg?(): Promise<string>;
}

/**
 * The data set that the `data` key of a configuration names, its subsets and validation split applied.
 *
 * @throws {UserError} when it is nowhere and cannot be downloaded, or what is there is not sound
 */
export async function loadDataset(data: DataConfig, options: LoadDatasetOptions = {}): Promise<Dataset> {
  switch (data.name) {
    case 'cifar10':
      return readCifar(cifar10, await provideCifar(cifar10, options), data);
    case 'cifar100': {
      const folder = await provideCifar(cifar100, options);
      return readCifar(data.labels === 'coarse' ? cifar100Coarse : cifar100, folder, data);
    }
    case 'image-folder': {
      // Loaded here: it brings the image library.
      const { openImageFolder } = await import('./image-folder/index.js');
      return openImageFolder(data, options);
    }
    case 'imagenette': {
      const { openImagenette } = await import('./image-folder/imagenette.js');
      return openImagenette(data, options);
    }
    case 'synthetic':
      return drawSynthetic(data);
    case 'coco': {
      const { openCoco } = await import('./detection/index.js');
      return openCoco(data, options);
    }
    case 'shapes': {
      const { openShapes } = await import('./detection/index.js');
      return openShapes(data);
    }
    case 'synthetic-video':
      return drawSyntheticVideo(data);
    case 'motion-of-photographs': {
      const { openPhotographs } = await import('./video/photographs.js');
      return openPhotographs(data, options);
    }
    case 'video-folder': {
      const { openVideoFolder } = await import('./video/index.js');
      return openVideoFolder(data, options);
    }
  }
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
