/** The thread that decodes image files ahead of the step. It never loads the engine. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { decodedCacheFolder } from '../datasets/download/locate.js';
import { isSystemError, type Pixels } from '../datasets/image-folder/decode.js';
import { DecodedCache } from '../datasets/image-folder/decoded-cache.js';
import { UserError } from '../errors.js';
import { eachOf } from '../process/each-of.js';
import { Draws } from '../random/random.js';
import { recolourInto } from './colour.js';
import { centreCrop, randomAreaCrop, shorterSide } from './crop.js';
import type { DecodeJob } from './jobs.js';
import { epochOrder } from './order.js';
import { publish, reportFailure, waitForRoom } from './ring.js';

// In a row; so many are no accident but a wrong folder.
const mostBroken = 100;
const sideBySide = 4;

class ImageSource {
  readonly #job: DecodeJob;
  readonly #cache: DecodedCache;
  readonly #broken = new Set<number>();

  constructor(job: DecodeJob, cache: DecodedCache) {
    this.#job = job;
    this.#cache = cache;
  }

  /** Puts image `index`, as (seed, epoch, index) augment it, into place `at` of the ring. */
  async train(seed: number, epoch: number, index: number, augment: boolean, at: number): Promise<void> {
    const { ring, labels, shape, decoding, files } = this.#job;
    if (!augment) return this.evaluate(index, at);
    const { pixels, from } = await this.#read(index);
    const draws = new Draws(seed, 'imageFile', epoch, index);
    const { data } = await randomAreaCrop(pixels, shape[0], draws).catch((error) => {
      throw new UserError(`cannot be scaled: ${error.message}`, { place: files.paths[from] });
    });
    const flip = draws.below(2) === 1;
    recolourInto(ring.images, at * data.length, data, shape[1], decoding, draws, flip);
    ring.labels[at] = labels[from];
  }

  /** Puts the centre of image `index` into place `at` of the ring. */
  async evaluate(index: number, at: number): Promise<void> {
    const { ring, labels, shape } = this.#job;
    const { pixels, from } = await this.#read(index);
    const { data } = await centreCrop(pixels, shape[0], shorterSide(shape[0]));
    ring.images.set(data, at * data.length);
    ring.labels[at] = labels[from];
  }

  /** Image `index`; in training, when it is broken and may be skipped, the next one in the split that is not. */
  async #read(index: number): Promise<{ pixels: Pixels; from: number }> {
    const { files, decoding, train } = this.#job;
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

async function prepare(job: DecodeJob): Promise<void> {
  const { ring, batchSize, files, labels } = job;
  const source = new ImageSource(job, await DecodedCache.open(decodedCacheFolder(), job.decoding.cacheBytes));
  if (!job.train) {
    for (let first = 0, slot = 0; first < labels.length; first += batchSize, slot = (slot + 1) % ring.slots) {
      if (!waitForRoom(ring)) return;
      const count = Math.min(batchSize, files.paths.length - first);
      await eachOf(count, sideBySide, (i) => source.evaluate(first + i, slot * batchSize + i));
      publish(ring);
    }
    return;
  }
  const { seed, stepsPerEpoch, firstStep, totalSteps, augment } = job;
  let order: Uint32Array = new Uint32Array();
  let orderOf = 0;
  for (let step = firstStep; step < totalSteps; step++) {
    if (!waitForRoom(ring)) return;
    const epoch = Math.floor(step / stepsPerEpoch) + 1;
    if (epoch !== orderOf) {
      order = epochOrder(seed, epoch, labels.length);
      orderOf = epoch;
    }
    const to = ((step - firstStep) % ring.slots) * batchSize;
    const first = (step % stepsPerEpoch) * batchSize;
    await eachOf(batchSize, sideBySide, (i) => source.train(seed, epoch, order[first + i], augment, to + i));
    publish(ring);
  }
}

const job = workerData as DecodeJob;
try {
  await prepare(job);
} catch (error) {
  reportFailure(job.ring, error);
}
