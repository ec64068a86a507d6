import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import { fusedAvailable, fusedNormalize } from '../engine/ops/normalize.js';
import { rectified } from '../engine/ops/ops.js';
import { type Application, affineVariables, type Normalizer } from './normalizer.js';

/** y = γ·x̂ + β in plain operations. */
export type Definition = (x: Tensor, gamma: Tensor1D, beta: Tensor1D, epsilon: number) => Tensor;

/**
 * A normalizer whose statistics are one image's own, hence the same in training and evaluation: given by its
 * definition, and by its groups for the fused kernel.
 */
export function perImageNormalizer(options: {
  label: string;
  epsilon: number;
  groups: (channels: number) => number;
  definition: Definition;
}): Normalizer {
  const { label, epsilon, groups, definition } = options;
  return {
    label,
    groups,
    variables: affineVariables,
    apply(x: Tensor, application: Application): Tensor {
      const { mode, relu, residual, variable } = application;
      const [gamma, beta] = [variable('gamma'), variable('beta')];
      if (mode.fused && fusedAvailable()) {
        const channels = x.shape.at(-1)!;
        const block = { imagesPerGroup: 1, channelsPerGroup: channels / groups(channels) };
        return fusedNormalize(x, gamma, beta, { ...block, epsilon, relu, residual }).y;
      }
      return finish(definition(x, gamma, beta, epsilon), application);
    },
  };
}

/** relu(y + residual), as far as asked for. */
export function finish(
  y: Tensor,
  { relu, residual, mode }: Pick<Application, 'relu' | 'residual' | 'mode'>,
): Tensor {
  return rectified(y, { relu, residual, own: mode.fused });
}
