/** The candidates that go into non-maximum suppression: the best of each level of a pyramid (Lin et al. 2017). */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import { type Kernels, kernels } from '../kernel-table.js';
import { tf } from '../load.js';
import { execute, floats, ints } from '../operation.js';
import { gatherRows } from './gather-rows.js';

export interface Candidates {
  /** `[N, K, 4]` */
  boxes: Tensor;
  /** `[N, K]` */
  scores: Tensor;
}

/** The score of a box that is none: below any that is asked for. */
export const noScore = -1e30;

/**
 * The `limit` best candidates of each level, level after level, best first; of equal ones those that come first. A
 * level that has fewer gives all, so that the number in all is fixed. Boxes with a side below `leastSide` get
 * `noScore`: suppression passes them over as it does padding.
 *
 * @returns with the level of each in `group`, `[N, K]` int32
 */
export function topOfLevels(
  levels: readonly Candidates[],
  { limit, leastSide = 0 }: { limit: number; leastSide?: number },
  use: Kernels = kernels('kernels'),
): Candidates & { group: Tensor } {
  if (use.topOfLevels) {
    const attributes = [
      ints('N', levels.length),
      ints('limit', limit),
      floats('least_side', leastSide),
      floats('no_score', noScore),
    ];
    const inputs = [...levels.map((level) => level.scores), ...levels.map((level) => level.boxes)];
    const [boxes, scores, group] = execute('GnbenchTopOfLevels', attributes, inputs, 3);
    return { boxes, scores, group };
  }
  const best = levels.map((level, index) => {
    const [images, count] = level.scores.shape;
    const kept = Math.min(limit, count);
    const { values, indices } = tf.topk(level.scores, kept);
    return {
      boxes: gatherRows(level.boxes, indices),
      scores: values,
      group: tf.fill([images, kept], index, 'int32'),
    };
  });
  const boxes = tf.concat(
    best.map((level) => level.boxes),
    1,
  );
  const scores = tf.concat(best.map((level) => level.scores) as Tensor2D[], 1);
  const group = tf.concat(best.map((level) => level.group) as Tensor2D[], 1);
  return {
    boxes,
    scores: tf.where(hasSides(boxes, leastSide), scores, tf.fill(scores.shape, noScore)),
    group,
  };
}

/** True for boxes whose shorter side has so many pixels. @param boxes `[…, 4]` @returns `[…]` */
export function hasSides(boxes: Tensor, leastSide: number): Tensor {
  const [from, to] = tf.split(boxes, 2, -1);
  return to.sub(from).min(-1).greaterEqual(leastSide);
}
