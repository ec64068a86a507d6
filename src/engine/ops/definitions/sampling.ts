/** The drawing of candidates by the largest hashes of their numbers, as the kernel draws them. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../../data-type.js';
import { tf } from '../../load.js';
import { execute, type } from '../../operation.js';
import { Match } from '../truth.js';

const scalar = (value: number): Tensor => tf.scalar(value | 0, 'int32');
const bitwise = (op: string, a: Tensor, b: Tensor): Tensor =>
  execute(op, [type('T', DataType.int32)], [a, b])[0];
const xor = (a: Tensor, b: Tensor): Tensor => bitwise('BitwiseXor', a, b);

/** int32 has an arithmetic shift alone: the sign's copies are cut off. */
const shifted = (value: Tensor, bits: number): Tensor =>
  bitwise('BitwiseAnd', bitwise('RightShift', value, scalar(bits)), scalar(0xffffffff >>> bits));

/** Wellons' lowbias32, a bijection of 32 bits; products keep their lowest 32 bits. */
function mix(value: Tensor): Tensor {
  let x = xor(value, shifted(value, 16));
  x = x.mul(scalar(0x7feb352d));
  x = xor(x, shifted(x, 15));
  x = x.mul(scalar(0x846ca68b));
  return xor(x, shifted(x, 16));
}

/** @returns `[N, A]` int32, above the least one */
function hashes(images: number, candidates: number, seed: Tensor): Tensor {
  const [high, low] = [0, 1].map((at) => seed.slice([at], [1]));
  const image = tf.range(1, images + 1, 1, 'int32').mul(scalar(0x9e3779b9));
  const first = mix(image.add(high));
  const second = mix(xor(first, scalar(0x85ebca6b)).add(low));
  const number = tf.range(0, candidates, 1, 'int32').expandDims(0);
  const once = mix(xor(number, first.expandDims(1)));
  return mix(xor(once, second.expandDims(1))).maximum(scalar(-(2 ** 31) + 1));
}

/** @param match `[N, A]` @param seed `[2]` int32 */
export function sampleMatchesDefinition(
  match: Tensor,
  seed: Tensor,
  { count, mostPositive }: { count: number; mostPositive: number },
): { chosen: Tensor; positives: Tensor; total: Tensor } {
  const [images, candidates] = match.shape as [number, number];
  const hash = hashes(images, candidates, seed);
  const isPositive = match.greaterEqual(0);
  const isNegative = match.equal(Match.background);
  const amount = (which: Tensor, most: Tensor) => which.cast('int32').sum(1).minimum(most);
  const positives = amount(isPositive, scalar(mostPositive));
  const negatives = amount(isNegative, scalar(count).sub(positives));
  /** Their numbers from `from` on, and behind all others what is not drawn. */
  const drawn = (which: Tensor, most: number, amount: Tensor, from: number): Tensor => {
    const least = tf.fill(hash.shape, -(2 ** 31), 'int32');
    const { indices } = tf.topk(tf.where(which, hash, least), Math.min(most, candidates));
    const isDrawn = tf.range(0, indices.shape[1]!, 1, 'int32').expandDims(0).less(amount.expandDims(1));
    return tf.where(isDrawn, indices.add(scalar(from)), tf.fill(indices.shape, 2 * candidates, 'int32'));
  };
  const lists = [drawn(isNegative, count, negatives, candidates)];
  if (mostPositive > 0) lists.push(drawn(isPositive, mostPositive, positives, 0));
  const padding = tf.fill([images, count], 2 * candidates, 'int32');
  const all = tf.concat([...lists, padding], 1);
  const ordered = tf.topk(all.mul(scalar(-1)), count).values.mul(scalar(-1));
  const number = tf.where(ordered.less(candidates), ordered, ordered.sub(scalar(candidates)));
  const none = tf.fill(ordered.shape, -1, 'int32');
  const chosen = tf.where(ordered.less(2 * candidates), number, none);
  return { chosen, positives, total: positives.add(negatives) };
}
