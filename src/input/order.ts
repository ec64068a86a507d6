import { Draws } from '../random/random.js';

/** The numbers 0 … count − 1 in random order: Fisher–Yates, ends first. */
export function shuffled(count: number, draws: Draws): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = draws.below(last + 1);
    const kept = order[last];
    order[last] = order[other];
    order[other] = kept;
  }
  return order;
}

/** The order in which an epoch (from 1) visits the `count` training images: a pure function of its arguments. */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  return shuffled(count, new Draws(seed, 'order', epoch));
}
