import type { VariableValue } from '../engine/program.js';
import { Draws } from '../random/random.js';
import type { Variable } from './variable.js';

/**
 * First values of all variables: a pure function of the seed, each variable drawing a sequence of its own, so that
 * a change in one layer leaves the others as they were.
 */
export function initialize(variables: Variable[], seed: number): Record<string, VariableValue> {
  return Object.fromEntries(
    variables.map((variable) => [variable.name, { shape: variable.shape, data: values(variable, seed) }]),
  );
}

function values({ name, shape, initial }: Variable, seed: number): Float32Array {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (initial.kind === 'constant') return data.fill(initial.value);
  const draws = new Draws(seed, 'weights', 0, hash(name));
  if (initial.kind === 'uniform') {
    return data.map(() => initial.limit * (2 * ((draws.next() + 0.5) / 2 ** 32) - 1));
  }
  return data.map(() => initial.std * normal(draws));
}

/** FNV-1a, 32 bits. */
function hash(name: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(name)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

/** A standard normal number by Box and Muller; not truncated. */
function normal(draws: Draws): number {
  const radius = Math.sqrt(-2 * Math.log((draws.next() + 1) / 2 ** 32));
  return radius * Math.cos((2 * Math.PI * draws.next()) / 2 ** 32);
}
