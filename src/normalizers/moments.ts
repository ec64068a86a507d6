import type { Tensor } from '@tensorflow/tfjs-node-gpu';

/**
 * Mean and biased variance over some axes, kept as axes of length 1. Two passes, the mean corrected by the mean of
 * what is left after subtracting it: E[x²] − E[x]² would cancel where the mean is large.
 */
export function moments(x: Tensor, axes: number[]): { centred: Tensor; mean: Tensor; variance: Tensor } {
  const rough = x.mean(axes, true);
  const rest = x.sub(rough);
  const correction = rest.mean(axes, true);
  const centred = rest.sub(correction);
  return { centred, mean: rough.add(correction), variance: centred.square().mean(axes, true) };
}
