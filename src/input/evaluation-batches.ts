import { type Batch, slice } from './batch.js';
import { withoutArrays } from './batches.js';
import type { SourceDescription } from './example-source.js';
import { evaluationBatchSizes } from './order.js';
import { prepare } from './prepared.js';
import { createRing } from './ring.js';

export interface EvaluationBatches {
  /**
   * The next rows, unaugmented, in the split's own order, each example with all of its views; the last batch (of each
   * canvas, where there are two) has the size that is left. Undefined when all have been. Views, valid until the
   * following call.
   *
   * @throws {UserError} for an image file that cannot be decoded
   */
  next(): { batch: Batch; rows: number } | undefined;
  close(): Promise<void>;
}

/** Rows that a split is evaluated in: its examples, each as often as it has views. */
export const rowsOf = ({ count, views = 1 }: Pick<SourceDescription, 'count' | 'views'>): number =>
  count * views;

/** The examples of a split, every one once. What is not in memory is prepared ahead by a worker thread. */
export function openEvaluationBatches(
  source: SourceDescription,
  options: { batchSize: number },
): EvaluationBatches {
  const all = rowsOf(source);
  const batchSize = Math.min(options.batchSize, all);
  const { resident, spec } = source;
  const sizes = evaluationBatchSizes(source, batchSize);
  let done = 0;
  const advance = (take: (from: number, rows: number) => Batch) => {
    const rows = sizes.shift();
    if (rows === undefined) return undefined;
    const batch = take(done, rows);
    done += rows;
    return { batch, rows };
  };
  if (resident) {
    return {
      next: () => advance((from, rows) => slice(spec, resident, from, rows)),
      close: async () => undefined,
    };
  }
  const ring = createRing(spec, batchSize);
  const prepared = prepare({ ring, source: withoutArrays(source), batchSize, train: false });
  return { next: () => advance((_, rows) => prepared.next(rows)), close: () => prepared.close() };
}
