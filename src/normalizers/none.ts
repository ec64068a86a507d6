import type { Normalizer } from './normalizer.js';
import { finish } from './per-image.js';

/** No normalization: y = x. The baseline, and the floor of what a step can cost. */
export const none = (): Normalizer => ({
  label: 'none',
  variables: () => [],
  apply: finish,
});
