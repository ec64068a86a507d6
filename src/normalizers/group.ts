/**
 * Group Normalization (Wu & He 2018, arXiv 1803.08494, §3.2 and Figure 3): mean and variance over the pixels and
 * C/G channels of one image.
 *
 *   x̂ = (x − μ) / √(σ² + ε),   y = γ·x̂ + β
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import type { Normalized } from '../engine/ops/normalize.js';
import { UserError } from '../errors.js';
import type { Normalizer } from '../nn/normalizer.js';
import { moments } from './moments.js';
import { perImageNormalizer } from './per-image.js';

export function groupNorm(
  x: Tensor,
  gamma: Tensor1D,
  beta: Tensor1D,
  groups: number,
  epsilon: number,
): Normalized {
  const [images, channels] = [x.shape[0], x.shape.at(-1)!];
  const grouped = x.reshape([images, -1, groups, channels / groups]);
  const { centred, mean, variance } = moments(grouped, [1, 3]); // pixels, and the channels of a group
  const normalized = centred.div(variance.add(epsilon).sqrt()).reshape(x.shape);
  return { y: normalized.mul(gamma).add(beta), mean, variance };
}

/** GN with a number of groups, or of channels in each. */
export function group(config: { epsilon: number; groups?: number; channelsPerGroup?: number }): Normalizer {
  const groups = (channels: number) => groupsOf(channels, config);
  return perImageNormalizer({
    epsilon: config.epsilon,
    groups,
    definition: (x, gamma, beta, epsilon) => groupNorm(x, gamma, beta, groups(x.shape.at(-1)!), epsilon),
  });
}

/** @throws UserError where the channels cannot be divided so */
export function groupsOf(channels: number, config: { groups?: number; channelsPerGroup?: number }): number {
  const { channelsPerGroup } = config;
  const groups = channelsPerGroup === undefined ? config.groups! : channels / channelsPerGroup;
  if (Number.isInteger(groups) && channels % groups === 0) return groups;
  const divisors = Array.from({ length: channels }, (_, index) => index + 1).filter(
    (n) => channels % n === 0,
  );
  const key = channelsPerGroup === undefined ? 'groups' : 'channelsPerGroup';
  throw new UserError(`a layer's ${channels} channels cannot be divided by ${channelsPerGroup ?? groups}`, {
    place: `normalizer.${key}`,
    fix: `use one of ${divisors.join(', ')}`,
  });
}
