import { Draws, shuffled } from '../random/random.js';

/** The order in which an epoch (from 1) visits the `count` training images: a pure function of its arguments. */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  return shuffled(count, new Draws(seed, 'order', epoch));
}
