/** Detections: the classes, boxes and masks that a detector finds, after the paper's code. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import type { Kernels } from '../../engine/kernel-table.js';
import { tf } from '../../engine/load.js';
import { clippedBoxes } from '../../engine/ops/box-coding.js';
import { suppress } from '../../engine/ops/detection.js';
import { chosenChannel } from '../../engine/ops/detection-losses.js';
import { gatherRows } from '../../engine/ops/gather-rows.js';
import { hasSides, noScore } from '../../engine/ops/top-boxes.js';
import type { Tensors } from '../task.js';
import type { Regions } from './proposals.js';
import { regionWeights } from './regions.js';

/** A box with a shorter side, in pixels, is none. */
const leastSide = 1e-2;

/** `[N, D, …]` each, best first. */
export interface Found extends Regions {
  scores: Tensor;
  /** From 1 on. */
  classes: Tensor;
}

/**
 * The best boxes of all classes: of every proposal a box for each class, those of one class that overlap a better one
 * left out.
 *
 * @param logits `[N·R, classes + 1]` @param shifts `[N·R, 4·(classes + 1)]` @param sizes each image's height and width
 */
export function findBoxes(
  { logits, shifts }: Tensors,
  proposals: Regions,
  sizes: Tensor,
  { most, minScore, overlap }: { most: number; minScore: number; overlap: number },
  kernels: Kernels,
): Found {
  const [images, count] = proposals.boxes.shape as [number, number];
  const classes = logits.shape[1]! - 1;
  const all = images * count;
  const scores = tf.softmax(logits).slice([0, 1], [all, classes]);
  const candidates = count * classes;
  const areThere = proposals.isThere.reshape([all, 1]).tile([1, classes]).reshape([images, candidates]);
  const codes = shifts
    .reshape([images, count, classes + 1, 4])
    .slice([0, 0, 1, 0], [images, count, classes, 4]);
  const boxes = clippedBoxes(codes, proposals.boxes, regionWeights, sizes, kernels);
  const ofClass = tf
    .range(1, classes + 1, 1, 'int32')
    .expandDims(0)
    .tile([all, 1]);
  const group = ofClass.reshape([images, candidates]);
  const isThere = tf.logicalAnd(areThere, hasSides(boxes, leastSide));
  const none = tf.fill([images, candidates], noScore);
  const scored = tf.where(isThere, scores.reshape([images, candidates]), none) as Tensor2D;
  const options = { threshold: overlap, inclusive: true, minScore, limit: Math.min(most, candidates) };
  const { kept } = suppress(boxes, scored, group, options, kernels);
  return {
    boxes: gatherRows(boxes, kept),
    scores: gatherRows(scored, kept),
    classes: gatherRows(group, kept),
    isThere: kept.greaterEqual(tf.scalar(0, 'int32')),
  };
}

/** The masks of what was found, 0 to 1, `[N, D, S, S]`. @param masks logits `[N·D, S, S, classes + 1]` */
export function masksOf(masks: Tensor, { classes }: Found): Tensor {
  const size = masks.shape[1]!;
  return chosenChannel(masks, classes.flatten())
    .sigmoid()
    .reshape([...classes.shape, size, size]);
}
