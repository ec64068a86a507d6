import type { Dataset } from '../datasets/dataset.js';
import type { PhotoJob } from './decode-worker.js';
import { type PreparedBatch, prepareIn } from './prepared.js';
import { createRing } from './ring.js';

export interface EvaluationBatches {
  /**
   * The next images and labels, unaugmented, in the split's own order; the last batch has the size that is left.
   * Undefined when all have been. Views, valid until the following call.
   *
   * @throws {UserError} for a photograph that cannot be decoded
   */
  next(): (PreparedBatch & { count: number }) | undefined;
  close(): Promise<void>;
}

/** What of a data set is needed to go through its images. */
export type Images = Pick<Dataset, 'shape' | 'train' | 'validation' | 'photography'>;

/** The images of a split, every one once. Photographs are decoded ahead by a worker thread, as in training. */
export function openEvaluationBatches(
  dataset: Images,
  options: { batchSize: number; split?: 'train' | 'validation' },
): EvaluationBatches {
  const { shape, photography } = dataset;
  const split = dataset[options.split ?? 'validation'];
  const batchSize = Math.min(options.batchSize, split.count);
  const imageBytes = shape[0] * shape[1] * shape[2];
  let done = 0;
  const advance = (take: (from: number, count: number) => PreparedBatch) => {
    const count = Math.min(batchSize, split.count - done);
    if (count === 0) return undefined;
    const batch = take(done, count);
    done += count;
    return { ...batch, count };
  };
  const { images, labels, photos } = split;
  if (!photos || !photography) {
    const view = (from: number, count: number) => ({
      images: images.subarray(from * imageBytes, (from + count) * imageBytes),
      labels: labels.subarray(from, from + count),
    });
    return { next: () => advance(view), close: async () => undefined };
  }
  const ring = createRing(batchSize * imageBytes, batchSize);
  const job: PhotoJob = { ring, shape, labels, photos, photography, batchSize, train: false };
  const prepared = prepareIn('./decode-worker.js', job);
  return { next: () => advance((_, count) => prepared.next(count)), close: () => prepared.close() };
}
