import type { Normalizer } from '../nn/normalizer.js';

/**
 * No normalization: y = x. The baseline, and the floor of what a step can cost. There is no γ that starts at 0 and lets a
 * block begin as its shortcut; `zeroBranches` starts its last convolution there instead.
 */
export const none = ({ zeroBranches = false } = {}): Normalizer => ({
  isNone: true,
  zeroBranches,
  variables: () => [],
  apply: (x, { finish }) => finish(x),
});
