import { UserError } from '../errors.js';
import type { Sizes } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { placeOf } from '../config/source-positions.js';

/**
 * How many images are trained and validated on, split and subsets applied.
 *
 * @param published how many the data set has
 * @throws {UserError} pointing at the key that asks for more than there are
 */
export function splitSizes(config: Config, published: Sizes): Sizes {
  const { validation: split, trainSubset, valSubset } = config.data;
  let { train, validation } = published;
  if (split !== 'test') {
    atMost(config, 'data.validation.fromTrain', split.fromTrain, train - 1); // one has to be left to train on
    [train, validation] = [train - split.fromTrain, split.fromTrain];
  }
  atMost(config, 'data.trainSubset', trainSubset, train);
  atMost(config, 'data.valSubset', valSubset, validation);
  return { train: trainSubset ?? train, validation: valSubset ?? validation };
}

function atMost(config: Config, key: string, asked: number | undefined, available: number): void {
  if (asked === undefined || asked <= available) return;
  throw new UserError(`${key}: ${asked} images are asked for, but there are ${available}`, {
    place: placeOf(config, key),
    fix: `set it to ${available} or less`,
  });
}
