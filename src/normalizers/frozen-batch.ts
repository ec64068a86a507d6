/**
 * Frozen BN (the paper's BN*, §4.2): the mean and variance of pre-training as constants, so that what is left is an
 * affine map per channel. γ and β are pre-training's as well: in the paper's code each channel is multiplied and added to by
 * fixed numbers. With `affine: trained` they are trained.
 *
 *   y = γ·(x − μ) / √(σ² + ε) + β
 */

import type { Normalizer } from '../nn/normalizer.js';
import { batchVariables, fixedAffine, trainedAffine, withRunning } from './batch.js';

export interface FrozenBatchConfig {
  epsilon: number;
  /** `fixed`: γ and β are those of pre-training for good. */
  affine: 'fixed' | 'trained';
}

export function frozenBatch({ epsilon, affine }: FrozenBatchConfig): Normalizer {
  return {
    variables(...layer) {
      const variables = batchVariables(...layer);
      return affine === 'trained' ? variables : variables.map((each) => ({ ...each, fixed: true }));
    },
    apply(x, application) {
      if (!application.mode.training) return withRunning(x, application, epsilon);
      return (affine === 'trained' ? trainedAffine : fixedAffine)(x, application, epsilon);
    },
  };
}
