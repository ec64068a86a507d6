/** Image files of a split, decoded when their turn comes. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Decoding, Split } from '../datasets/dataset.js';
import type { Pixels } from '../datasets/image-folder/decode.js';
import type { DecodedCache } from '../datasets/image-folder/decoded-cache.js';
import type { UserError } from '../errors.js';
import { isSystemError } from '../storage/system-errors.js';

export interface ImageFilesOptions {
  files: NonNullable<Split['files']>;
  decoding: Pick<Decoding, 'onBroken' | 'cacheBytes'>;
  /** In training another image may take a broken one's place. */
  train: boolean;
}

// In a row; so many are no accident but a wrong folder.
const mostBroken = 100;

export class ImageFiles {
  readonly #options: ImageFilesOptions;
  readonly #cache: DecodedCache;
  readonly #broken = new Set<number>();

  constructor(options: ImageFilesOptions, cache: DecodedCache) {
    this.#options = options;
    this.#cache = cache;
  }

  /**
   * Image `index`; in training, when it is broken and may be skipped, the next one in the split that is not.
   *
   * @param next the image behind one, in the order in which they take each other's place
   */
  async read(
    index: number,
    next = (from: number) => (from + 1) % this.#options.files.paths.length,
  ): Promise<{ pixels: Pixels; from: number }> {
    const { files, decoding, train } = this.#options;
    for (let tries = 0, from = index; ; tries++, from = next(from)) {
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
