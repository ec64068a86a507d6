/**
 * Synchronized BN (Peng et al. 2018, "MegDet", arXiv 1711.07240, §3.3): Batch Normalization whose mean and variance are
 * over the images of all workers and their pixels. The paper's BN is never synchronized (§4.1): this is what it is
 * compared with.
 */
import { batch } from './batch.js';
import type { Normalizer } from './normalizer.js';

export function syncBatch({ epsilon }: { epsilon: number }): Normalizer {
  const perWorker = batch({ epsilon });
  return {
    ...perWorker,
    label: 'sync BN',
    apply: (x, application) =>
      perWorker.apply(x, { ...application, mode: { ...application.mode, workers: 1 } }), // all as one worker's
  };
}
