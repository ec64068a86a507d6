import { UserError } from '../errors.js';
import { placeOf } from './places.js';
import type { Config } from './schema.js';

/**
 * Makes sure that group normalization fits every layer it normalizes.
 *
 * @param widths the channels of the normalized layers, by the layers' names
 * @throws {UserError} pointing at `normalizer.groups` or `normalizer.channelsPerGroup`, with the numbers that would do
 */
export function checkGroups(config: Config, widths: Iterable<{ name: string; channels: number }>): void {
  const { normalizer } = config;
  if (normalizer.name !== 'group') return;
  const key = normalizer.channelsPerGroup === undefined ? 'groups' : 'channelsPerGroup';
  const divisor = normalizer[key]!;
  const layers = [...widths];
  const misfit = layers.find(({ channels }) => channels % divisor !== 0);
  if (!misfit) return;
  const common = layers.reduce((all, { channels }) => greatestCommonDivisor(all, channels), 0);
  const valid = Array.from({ length: common }, (_, index) => index + 1).filter((n) => common % n === 0);
  throw new UserError(
    `normalizer.${key}: ${divisor} does not divide the ${misfit.channels} channels of ${misfit.name}`,
    {
      place: placeOf(config, `normalizer.${key}`),
      fix: `use one of ${valid.join(', ')}`,
    },
  );
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);
