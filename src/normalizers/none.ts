import type { Normalizer } from '../nn/normalizer.js';

/** No normalization: y = x. The baseline, and the floor of what a step can cost. */
export const none = (): Normalizer => ({
  isNone: true,
  variables: () => [],
  apply: (x, { finish }) => finish(x),
});
