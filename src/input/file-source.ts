/** Images in files, decoded and cropped when their turn comes. */
import type { Decoding, Split } from '../datasets/dataset.js';
import { decodedCacheFolder } from '../datasets/download/locate.js';
import { DecodedCache } from '../datasets/image-folder/decoded-cache.js';
import { UserError } from '../errors.js';
import { Draws } from '../random/random.js';
import { recolourInto } from './colour.js';
import { centreCrop, randomAreaCrop, shorterSide } from './crop.js';
import type { ExampleSource } from './example-source.js';
import { ImageFiles } from './image-files.js';
import { labelledImages } from './memory-source.js';

export interface FileOptions {
  shape: number[];
  labels: Int32Array;
  files: NonNullable<Split['files']>;
  decoding: Decoding;
  /** In training another image may take a broken one's place. */
  train: boolean;
}

export async function openSource(options: FileOptions): Promise<ExampleSource> {
  const { shape, labels, decoding, files } = options;
  const images = new ImageFiles(options, await DecodedCache.open(decodedCacheFolder(), decoding.cacheBytes));
  return {
    count: labels.length,
    spec: labelledImages(shape),
    sideBySide: 4,
    async write(into, at, example, { augment }) {
      const { pixels, from } = await images.read(example);
      const to = into.images as Uint8Array;
      into.labels[at] = labels[from];
      if (!augment) {
        const { data } = await centreCrop(pixels, shape[0], shorterSide(shape[0]));
        to.set(data, at * data.length);
        return;
      }
      const draws = new Draws(augment.seed, 'imageFile', augment.epoch, example);
      const { data } = await randomAreaCrop(pixels, shape[0], draws).catch((error) => {
        throw new UserError(`cannot be scaled: ${error.message}`, { place: files.paths[from] });
      });
      const flip = draws.below(2) === 1;
      recolourInto(to, at * data.length, data, shape[1], decoding, draws, flip);
    },
  };
}
