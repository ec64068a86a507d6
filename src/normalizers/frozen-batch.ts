/**
 * Frozen BN (the paper's BN*, §4.2): the mean and variance of pre-training as constants, so that what is left is an
 * affine map per channel. γ and β are trained.
 *
 *   y = γ·(x − μ) / √(σ² + ε) + β
 */

import type { Normalizer } from '../nn/normalizer.js';
import { batchVariables, differentiableWithRunning, withRunning } from './batch.js';

export function frozenBatch({ epsilon }: { epsilon: number }): Normalizer {
  return {
    variables: batchVariables,
    apply(x, application) {
      const frozen = application.mode.training ? differentiableWithRunning : withRunning;
      return frozen(x, application, epsilon);
    },
  };
}
