/** Regions: what the heads look at, taken from proposals, and the losses of the heads (Girshick 2015; He et al. 2017). */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import type { Kernels } from '../../engine/kernel-table.js';
import { tf } from '../../engine/load.js';
import { type BoxWeights, encodeBoxes } from '../../engine/ops/box-coding.js';
import { maskTargets, matchBoxes, roiAlign, sampleMatches, TruthKind } from '../../engine/ops/detection.js';
import { chosenCrossEntropy, smoothL1 } from '../../engine/ops/detection-losses.js';
import { gatherRows } from '../../engine/ops/gather-rows.js';
import { softmaxCrossEntropies } from '../../engine/ops/softmax-loss.js';
import type { MapOfFeatures } from '../../models/detection/settings.js';
import type { Tensors } from '../task.js';
import type { Regions } from './proposals.js';

/** The weights of the boxes' shifts behind the box head (the paper's code). */
export const regionWeights: BoxWeights = [10, 10, 5, 5];

/** Regions to learn from, objects' first: `[N, R, …]` each. */
export interface DrawnRegions extends Regions {
  /** The object that each is of, `[N, R]` int32; −1: none. */
  object: Tensor;
  /** Its class, 0 for background. */
  classes: Tensor;
  /** 1 for the regions that are objects'. */
  isObject: Tensor;
}

/** Draws regions from the proposals and the true boxes. */
export function drawRegions(
  proposals: Regions,
  { boxes: truth, kind, classes }: Tensors,
  seed: Tensor,
  { count, positives }: { count: number; positives: number },
  kernels: Kernels,
): DrawnRegions {
  const all = tf.concat([proposals.boxes, truth], 1);
  const isObjectsBox = kind.equal(tf.scalar(TruthKind.object, 'int32'));
  const isThere = tf.concat([proposals.isThere as Tensor2D, isObjectsBox as Tensor2D], 1);
  const options = { low: 0.5, high: 0.5, bestOfEach: false, crowdOverlap: 0.7 };
  const ignored = tf.fill(isThere.shape, -2, 'int32');
  const match = tf.where(isThere, matchBoxes(all, truth, kind, options, kernels), ignored);
  const { chosen } = sampleMatches(match, seed, { count, mostPositive: positives }, kernels);
  const zero = tf.scalar(0, 'int32');
  const isDrawn = chosen.greaterEqual(zero);
  const matched = gatherRows(match, chosen);
  const isObject = tf.logicalAnd(isDrawn, matched.greaterEqual(zero));
  const object = tf.where(isObject, matched, tf.fill(chosen.shape, -1, 'int32'));
  return {
    boxes: gatherRows(all, chosen),
    isThere: isDrawn,
    object,
    classes: gatherRows(classes, object),
    isObject: isObject.cast('float32'),
  };
}

/** The first `count` regions of every image: `[N, R, …]` → `[N, count, …]`. */
export const firstOf = (values: Tensor, count: number): Tensor => {
  const [images, , ...rest] = values.shape;
  return values.slice(
    values.shape.map(() => 0),
    [images, count, ...rest],
  );
};

export interface PoolingOptions {
  maps: readonly MapOfFeatures[];
  size: number;
  sampling: number;
  aligned: boolean;
}

/** The features of regions, `[N·R, size, size, C]`; zeros where there is none. */
export function pool(
  outputs: Tensors,
  { boxes, isThere }: Regions,
  { maps, size, sampling, aligned }: PoolingOptions,
  kernels: Kernels,
): Tensor {
  const looked = maps.filter(({ hasRegions }) => hasRegions);
  const [images, count] = boxes.shape as [number, number];
  const level = tf.where(isThere, levels(boxes, looked.length), tf.fill([images, count], -1, 'int32'));
  return roiAlign(
    looked.map(({ name }) => outputs[name]),
    {
      boxes: boxes.reshape([images * count, 4]),
      image: imageOf(images, count),
      level: level.flatten(),
      scales: looked.map(({ stride }) => 1 / stride),
      size,
      sampling,
      aligned,
    },
    kernels,
  );
}

/** The image that each of `count` regions of every image is of, `[N·R]` int32. */
const imageOf = (images: number, count: number): Tensor =>
  tf.range(0, images, 1, 'int32').expandDims(1).tile([1, count]).flatten();

/**
 * The map that a region's features come from: ⌊4 + log₂(√area / 224)⌋, 2 to 5 (Lin et al. 2017, eq. 1), counted from 0.
 */
function levels(boxes: Tensor, maps: number): Tensor {
  if (maps === 1) return tf.zeros(boxes.shape.slice(0, 2), 'int32');
  const [from, to] = tf.split(boxes, 2, -1);
  const [width, height] = tf.split(to.sub(from).maximum(0), 2, -1);
  const scale = width.mul(height).sqrt().squeeze([-1]).div(224).add(1e-6);
  const level = scale.log().div(Math.LN2).floor().add(2);
  return level
    .maximum(0)
    .minimum(maps - 1)
    .cast('int32');
}

/**
 * Both losses of the box head, sums over the regions that were drawn, divided by their number.
 * @param logits `[N·R, classes + 1]` @param shifts `[N·R, 4·(classes + 1)]`
 */
export function boxLosses(
  { logits, shifts }: Tensors,
  { boxes, isThere, object, classes, isObject }: DrawnRegions,
  truth: Tensors,
  beta: number,
  kernels: Kernels,
): { score: Tensor; box: Tensor } {
  const [rows, outputs] = logits.shape as [number, number];
  const counts = isThere.cast('float32').flatten();
  const total = counts.sum().maximum(1);
  const label = classes.flatten();
  const scores = softmaxCrossEntropies(logits as Tensor2D, label);
  const ofClass = tf.oneHot(label as never, outputs).expandDims(-1);
  const chosen = shifts.reshape([rows, outputs, 4]).mul(ofClass).sum(1);
  const wanted = encodeBoxes(gatherRows(truth.boxes, object), boxes, regionWeights).reshape([rows, 4]);
  return {
    score: scores.mul(counts).sum().div(total),
    box: smoothL1(chosen, wanted, beta, kernels).sum(-1).mul(isObject.flatten()).sum().div(total),
  };
}

/**
 * The mask head's loss: the cross-entropy of each pixel in the map of the true class, a mean over the objects' regions.
 * An object without a mask is left out.
 * @param masks logits `[N·R, S, S, classes + 1]`
 * @param canvas the sides of the images that the true masks cover, and whether pixels are points at their centres
 */
export function maskLoss(
  masks: Tensor,
  { boxes, object, classes, isObject }: DrawnRegions,
  { runs, start }: Tensors,
  canvas: { height: number; width: number; aligned: boolean },
  kernels: Kernels,
): Tensor {
  const [images, count] = boxes.shape as [number, number];
  const size = masks.shape[1]!;
  const wanted = maskTargets(
    runs,
    start,
    {
      boxes: boxes.reshape([images * count, 4]),
      image: imageOf(images, count),
      object: object.flatten(),
      size,
      ...canvas,
    },
    kernels,
  );
  const objects = start.shape[1]! - 1;
  const ends = start.slice([0, 1], [images, objects]);
  const lengths = ends.sub(start.slice([0, 0], [images, objects]));
  const hasMask = gatherRows(lengths, object).greater(tf.scalar(0, 'int32')).cast('float32');
  const weight = isObject.mul(hasMask).flatten();
  const total = weight
    .sum()
    .mul(size * size)
    .maximum(1);
  const losses = chosenCrossEntropy(masks, classes.flatten(), wanted, kernels);
  return losses.sum([1, 2]).mul(weight).sum().div(total);
}
