/**
 * Frozen BN (the paper's BN*, §4.2): the mean and variance of pre-training as constants, so that what is left is an
 * affine map per channel. γ and β are trained.
 *
 *   y = γ·(x − μ) / √(σ² + ε) + β
 */
import { batch, differentiableWithGiven, withGiven } from './batch.js';
import type { Normalizer } from './normalizer.js';

export function frozenBatch({ epsilon }: { epsilon: number }): Normalizer {
  return {
    label: 'frozen BN',
    variables: batch({ epsilon }).variables,
    apply(x, application) {
      const given = application.mode.training ? differentiableWithGiven : withGiven;
      return given(x, application, epsilon);
    },
  };
}
