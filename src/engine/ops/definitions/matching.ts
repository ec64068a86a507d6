/** The matching of candidates with true objects, from the table of all overlaps. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { tf } from '../../load.js';
import type { MatchOptions } from '../detection-options.js';
import { Match, TruthKind } from '../truth.js';

/** @param boxes `[A, 4]` or `[N, A, 4]` @param truth `[N, G, 4]` @param kind `[N, G]` @returns `[N, A]` int32 */
export function matchBoxesDefinition(
  boxes: Tensor,
  truth: Tensor,
  kind: Tensor,
  { low, high, bestOfEach, crowdOverlap }: MatchOptions,
): Tensor {
  const candidates = cornersOf(boxes.rank === 2 ? boxes.expandDims(0) : boxes, 2);
  const objects = cornersOf(truth, 1);
  const common = intersection(candidates, objects);
  const area = areaOf(candidates);
  const isObject = kind.equal(TruthKind.object).expandDims(1);
  const overlap = quotient(common, area.add(areaOf(objects)).sub(common));
  const judged = tf.where(isObject, overlap, tf.fill(overlap.shape, -1));
  const best = judged.max(2);
  const object = judged.argMax(2).cast('int32');
  const mark = (value: number) => tf.fill(object.shape, value, 'int32');
  let match = tf.where(best.less(high), mark(Match.ignored), object);
  match = tf.where(best.less(low).logicalOr(best.less(0)), mark(Match.background), match);
  if (bestOfEach) {
    const most = judged.max(1, true);
    const closest = judged.equal(most).logicalAnd(most.greater(0)).any(2);
    match = tf.where(closest, object, match);
  }
  const isCrowd = kind.equal(TruthKind.crowd).expandDims(1);
  const inCrowd = quotient(common, area.add(tf.zerosLike(common)))
    .greater(crowdOverlap)
    .logicalAnd(isCrowd)
    .any(2);
  return tf.where(inCrowd.logicalAnd(match.less(0)), mark(Match.ignored), match);
}

/** Left, top, right and bottom, each `[N, A, 1]` or `[N, 1, G]`. */
const cornersOf = (boxes: Tensor, axis: 1 | 2): Tensor[] =>
  tf.split(boxes, 4, -1).map((each) => each.squeeze([2]).expandDims(axis));

const areaOf = ([left, top, right, bottom]: Tensor[]): Tensor => right.sub(left).mul(bottom.sub(top));

function intersection(some: Tensor[], others: Tensor[]): Tensor {
  const from = [0, 1].map((i) => some[i].maximum(others[i]));
  const to = [2, 3].map((i) => some[i].minimum(others[i]));
  const [width, height] = [0, 1].map((i) => to[i].sub(from[i]).maximum(0));
  return width.mul(height);
}

/** 0 where nothing is common, whatever the whole is. */
function quotient(common: Tensor, whole: Tensor): Tensor {
  const some = common.greater(0);
  return tf.where(some, common.div(tf.where(some, whole, tf.onesLike(whole))), tf.zerosLike(common));
}
