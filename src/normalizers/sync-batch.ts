/**
 * Synchronized BN (Peng et al. 2018, "MegDet", arXiv 1711.07240, §3.3): Batch Normalization whose mean and variance are
 * over the images of all workers and their pixels. The paper's BN is never synchronized (§4.1): this is what it is
 * compared with.
 */

import type { Normalizer } from '../nn/normalizer.js';
import { type BatchConfig, batch } from './batch.js';

export function syncBatch(config: BatchConfig): Normalizer {
  const perWorker = batch(config);
  return {
    ...perWorker,
    apply: (x, application) =>
      perWorker.apply(x, { ...application, mode: { ...application.mode, workers: 1 } }), // all as one worker's
  };
}
