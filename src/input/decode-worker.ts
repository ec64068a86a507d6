/** The thread that decodes photographs ahead of the step. It never loads the engine. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import type { Photography, Split } from '../datasets/dataset.js';
import { photoCache } from '../datasets/download/locate.js';
import { UserError } from '../errors.js';
import { eachOf } from '../process/each-of.js';
import { Draws } from '../random/random.js';
import type { TrainBatchesOptions } from './batches.js';
import { recolourInto } from './colour.js';
import { centreCrop, randomAreaCrop, shorterSide } from './crop.js';
import { isSystemError, type Pixels } from '../datasets/image-folder/decode.js';
import { PhotoCache } from '../datasets/image-folder/decoded-cache.js';
import { epochOrder } from './order.js';
import { publish, type Ring, reportFailure, waitForRoom } from './ring.js';

/** What the worker is started with: batches for training, or each image of the split once. */
export type PhotoJob = {
  ring: Ring;
  shape: [number, number, number];
  labels: Int32Array;
  photos: NonNullable<Split['photos']>;
  photography: Photography;
  batchSize: number;
} & (({ train: true } & TrainBatchesOptions) | { train: false });

// In a row; so many are no accident but a wrong folder.
const mostBroken = 100;
const sideBySide = 4;

class PhotoSource {
  readonly #job: PhotoJob;
  readonly #cache: PhotoCache;
  readonly #broken = new Set<number>();

  constructor(job: PhotoJob, cache: PhotoCache) {
    this.#job = job;
    this.#cache = cache;
  }

  /** Puts image `index`, as (seed, epoch, index) augment it, into place `at` of the ring. */
  async train(seed: number, epoch: number, index: number, augment: boolean, at: number): Promise<void> {
    const { ring, labels, shape, photography, photos } = this.#job;
    if (!augment) return this.evaluate(index, at);
    const { pixels, from } = await this.#read(index);
    const draws = new Draws(seed, 'photo', epoch, index);
    const { data } = await randomAreaCrop(pixels, shape[0], draws).catch((error) => {
      throw new UserError(`cannot be scaled: ${error.message}`, { place: photos.paths[from] });
    });
    const flip = draws.below(2) === 1;
    recolourInto(ring.images, at * data.length, data, shape[1], photography, draws, flip);
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
    const { photos, photography, train } = this.#job;
    for (let tries = 0, from = index; ; tries++, from = (from + 1) % photos.paths.length) {
      if (this.#broken.has(from) && tries < mostBroken) continue;
      try {
        return { pixels: await this.#cache.read(join(photos.root, photos.paths[from])), from };
      } catch (error) {
        const passing = isSystemError((error as UserError).cause);
        if (passing || !train || photography.onBroken === 'fail' || tries >= mostBroken) throw error;
        if (!this.#broken.has(from)) {
          this.#broken.add(from);
          const { place, message } = error as UserError;
          writeSync(2, `warning: ${place}: ${message}; another image takes its place\n`);
        }
      }
    }
  }
}

async function prepare(job: PhotoJob): Promise<void> {
  const { ring, batchSize, photos, labels } = job;
  const source = new PhotoSource(job, await PhotoCache.open(photoCache(), job.photography.cacheBytes));
  if (!job.train) {
    for (let first = 0, slot = 0; first < labels.length; first += batchSize, slot = (slot + 1) % ring.slots) {
      if (!waitForRoom(ring)) return;
      const count = Math.min(batchSize, photos.paths.length - first);
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

const job = workerData as PhotoJob;
try {
  await prepare(job);
} catch (error) {
  reportFailure(job.ring, error);
}
