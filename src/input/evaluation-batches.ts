import type { Dataset } from '../datasets/dataset.js';
import type { DecodeJob } from './jobs.js';
import { type PreparedBatch, prepareIn } from './prepared.js';
import { createRing } from './ring.js';

export interface EvaluationBatches {
  /**
   * The next images and labels, unaugmented, in the split's own order; the last batch has the size that is left.
   * Undefined when all have been. Views, valid until the following call.
   *
   * @throws {UserError} for an image file that cannot be decoded
   */
  next(): (PreparedBatch & { count: number }) | undefined;
  close(): Promise<void>;
}

/** The parts of a data set that it takes to go through its images. */
export type Images = Pick<Dataset, 'shape' | 'train' | 'validation' | 'decoding'>;

/** The images of a split, every one once. Image files are decoded ahead by a worker thread, as in training. */
export function openEvaluationBatches(
  dataset: Images,
  options: { batchSize: number; split?: 'train' | 'validation' },
): EvaluationBatches {
  const { shape, decoding } = dataset;
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
  const { images, labels, files } = split;
  if (!files || !decoding) {
    const view = (from: number, count: number) => ({
      images: images.subarray(from * imageBytes, (from + count) * imageBytes),
      labels: labels.subarray(from, from + count),
    });
    return { next: () => advance(view), close: async () => undefined };
  }
  const ring = createRing(batchSize * imageBytes, batchSize);
  const job: DecodeJob = { ring, shape, labels, files, decoding, batchSize, train: false };
  const prepared = prepareIn('./decode-worker.js', job);
  return { next: () => advance((_, count) => prepared.next(count)), close: () => prepared.close() };
}
