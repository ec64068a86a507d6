/** Proposals: the boxes that the region proposal network takes for objects, and its losses (Ren et al. 2015, §3.1). */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { stopGradient } from '../../engine/gradients.js';
import type { Kernels } from '../../engine/kernel-table.js';
import { tf } from '../../engine/load.js';
import { type BoxWeights, clippedBoxes, encodeBoxes } from '../../engine/ops/box-coding.js';
import { matchBoxes, sampleMatches, suppress } from '../../engine/ops/detection.js';
import { binaryCrossEntropy, smoothL1 } from '../../engine/ops/detection-losses.js';
import { gatherRows } from '../../engine/ops/gather-rows.js';
import { noScore, topOfLevels } from '../../engine/ops/top-boxes.js';
import type { Tensors } from '../task.js';
import { type OfMap, together } from './map-anchors.js';

const weights: BoxWeights = [1, 1, 1, 1];
/** A box with a shorter side is none. */
const leastSide = 1e-3;
const overlap = 0.7;

/** Boxes of every image `[N, K, 4]`, best first; `isThere` `[N, K]` is 1 for those that there are. */
export interface Regions {
  boxes: Tensor;
  isThere: Tensor;
}

/**
 * To what is learnt behind them the proposals are given: no gradient flows back through their boxes (Ren et al. 2015,
 * §3.2, approximate joint training).
 * @param sizes each image's height and width, `[N, 2]`
 */
export function propose(
  maps: readonly OfMap[],
  sizes: Tensor,
  { candidates, kept: most }: { candidates: number; kept: number },
  kernels: Kernels,
): Regions {
  const levels = maps.map(({ anchors, logits, shifts }) => ({
    boxes: clippedBoxes(stopGradient(shifts), anchors.expandDims(0), weights, sizes, kernels),
    scores: stopGradient(logits),
  }));
  const { boxes, scores, group } = topOfLevels(levels, { limit: candidates, leastSide }, kernels);
  const limit = Math.min(most, scores.shape[1]!);
  const options = { threshold: overlap, inclusive: true, minScore: noScore / 10, limit };
  const { kept } = suppress(boxes, scores, group, options, kernels);
  return { boxes: gatherRows(boxes, kept), isThere: kept.greaterEqual(tf.scalar(0, 'int32')) };
}

export interface ProposalLossOptions {
  /** Anchors an image that are learnt from; half of them are objects at the most. */
  perImage: number;
  border: 'drop' | 'keep';
  /** β of smooth L1. */
  smoothL1: number;
}

/**
 * Both losses, sums over the anchors that were drawn, divided by their number: whether there is an object, and where it
 * is.
 */
export function proposalLosses(
  maps: readonly OfMap[],
  { boxes, kind, size }: Tensors,
  seed: Tensor,
  { perImage, border, smoothL1: beta }: ProposalLossOptions,
  kernels: Kernels,
): { score: Tensor; box: Tensor } {
  const { anchors, logits, shifts } = together(maps);
  const [images, count] = logits.shape as [number, number];
  const options = { low: 0.3, high: 0.7, bestOfEach: true, crowdOverlap: 2 }; // no anchor lies in a crowd by more
  let match: Tensor;
  if (border === 'keep') {
    match = matchBoxes(anchors, boxes, kind, options, kernels);
  } else {
    const inside = liesWithin(anchors, size);
    // An anchor that crosses the border is no object's best one either: it is put where nothing is.
    const moved = tf.where(
      inside.expandDims(2).tile([1, 1, 4]),
      anchors.expandDims(0).tile([images, 1, 1]),
      tf.fill([images, count, 4], -1e6),
    );
    const ignored = tf.fill([images, count], -2, 'int32');
    match = tf.where(inside, matchBoxes(moved, boxes, kind, options, kernels), ignored);
  }
  const drawn = sampleMatches(
    match,
    seed,
    { count: perImage, mostPositive: Math.floor(perImage / 2) },
    kernels,
  );
  const object = gatherRows(match, drawn.chosen);
  const zero = tf.scalar(0, 'int32');
  const isDrawn = drawn.chosen.greaterEqual(zero);
  const isObject = tf.logicalAnd(isDrawn, object.greaterEqual(zero)).cast('float32');
  const total = drawn.total.sum().cast('float32').maximum(1);

  const scores = binaryCrossEntropy(gatherRows(logits, drawn.chosen), isObject);
  const all = anchors.expandDims(0).tile([images, 1, 1]);
  const wanted = encodeBoxes(gatherRows(boxes, object), gatherRows(all, drawn.chosen), weights);
  const differences = smoothL1(gatherRows(shifts, drawn.chosen), wanted, beta, kernels);
  return {
    score: scores.mul(isDrawn.cast('float32')).sum().div(total),
    box: differences.sum(-1).mul(isObject).sum().div(total),
  };
}

/** True for the anchors that do not cross the border of their image, `[N, A]`. */
function liesWithin(anchors: Tensor, size: Tensor): Tensor {
  const [left, top, right, bottom] = tf.split(anchors.transpose(), 4, 0);
  const [height, width] = tf.split(size, 2, 1);
  const fromStart = tf.logicalAnd(left.greaterEqual(0), top.greaterEqual(0));
  return tf.logicalAnd(fromStart, tf.logicalAnd(right.lessEqual(width), bottom.lessEqual(height)));
}
