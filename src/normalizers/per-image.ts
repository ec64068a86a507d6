import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import type { Normalized } from '../engine/ops/normalize.js';
import { affineVariables, type Normalizer } from '../nn/normalizer.js';

/** y = γ·x̂ + β in plain operations, and the mean and variance that x̂ is made with. */
export type Definition = (x: Tensor, gamma: Tensor1D, beta: Tensor1D, epsilon: number) => Normalized;

/**
 * A normalizer whose statistics are one image's own, hence the same in training and evaluation: given by its
 * definition, and by the groups that its channels form.
 */
export function perImageNormalizer(options: {
  epsilon: number;
  groups: (channels: number) => number;
  definition: Definition;
}): Normalizer {
  const { epsilon, groups, definition } = options;
  return {
    groups,
    variables: affineVariables,
    apply(x, { variable, normalize }) {
      const [gamma, beta] = [variable('gamma'), variable('beta')];
      const channels = x.shape.at(-1)!;
      const block = { imagesPerGroup: 1, channelsPerGroup: channels / groups(channels) };
      return normalize(x, {
        block,
        gamma,
        beta,
        epsilon,
        definition: () => definition(x, gamma, beta, epsilon),
      }).y;
    },
  };
}
