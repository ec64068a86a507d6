/** Images in files, decoded and cropped when their turn comes. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Decoding, Split } from '../datasets/dataset.js';
import { decodedCacheFolder } from '../datasets/download/locate.js';
import type { Pixels } from '../datasets/image-folder/decode.js';
import { DecodedCache } from '../datasets/image-folder/decoded-cache.js';
import { UserError } from '../errors.js';
import { Draws } from '../random/random.js';
import { isSystemError } from '../storage/system-errors.js';
import { recolourInto } from './colour.js';
import { centreCrop, randomAreaCrop, shorterSide } from './crop.js';
import type { ExampleSource } from './example-source.js';
import { labelledImages } from './memory-source.js';

export interface FileOptions {
  shape: [number, number, number];
  labels: Int32Array;
  files: NonNullable<Split['files']>;
  decoding: Decoding;
  /** In training another image may take a broken one's place. */
  train: boolean;
}

// In a row; so many are no accident but a wrong folder.
const mostBroken = 100;

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

class ImageFiles {
  readonly #options: FileOptions;
  readonly #cache: DecodedCache;
  readonly #broken = new Set<number>();

  constructor(options: FileOptions, cache: DecodedCache) {
    this.#options = options;
    this.#cache = cache;
  }

  /** Image `index`; in training, when it is broken and may be skipped, the next one in the split that is not. */
  async read(index: number): Promise<{ pixels: Pixels; from: number }> {
    const { files, decoding, train } = this.#options;
    for (let tries = 0, from = index; ; tries++, from = (from + 1) % files.paths.length) {
      if (this.#broken.has(from) && tries < mostBroken) continue;
      try {
        return { pixels: await this.#cache.read(join(files.root, files.paths[from])), from };
      } catch (error) {
        const passing = isSystemError((error as UserError).cause);
        if (passing || !train || decoding.onBroken === 'fail' || tries >= mostBroken) throw error;
        if (!this.#broken.has(from)) {
          this.#broken.add(from);
          const { place, message } = error as UserError;
          writeSync(2, `warning: ${place}: ${message}; another image takes its place\n`);
        }
      }
    }
  }
}
