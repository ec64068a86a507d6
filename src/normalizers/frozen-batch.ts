/**
 * Frozen BN (the paper's BN*, §4.2): the mean and variance of pre-training as constants, so that what is left is an
 * affine map per channel. γ and β are trained.
 *
 *   y = γ·(x − μ) / √(σ² + ε) + β
 */
import { batch, withGiven } from './batch.js';
import type { Normalizer } from './normalizer.js';
import { finish } from './per-image.js';

export function frozenBatch({ epsilon }: { epsilon: number }): Normalizer {
  return {
    label: 'frozen BN',
    variables: batch({ epsilon }).variables,
    apply(x, application) {
      const { mode, variable } = application;
      if (!mode.training) return withGiven(x, application, epsilon);
      const normalized = x.sub(variable('mean')).div(variable('variance').add(epsilon).sqrt());
      return finish(normalized.mul(variable('gamma')).add(variable('beta')), application);
    },
  };
}
