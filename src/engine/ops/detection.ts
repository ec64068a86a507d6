/**
 * The parts of a detector's step that TensorFlow has no operation for: RoIAlign, non-maximum suppression, matching,
 * sampling and mask targets. Shapes are fixed, so that a step can be recorded: what there is less of is padded.
 * Boxes are `[left, top, right, bottom]` in pixels.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { bools, differentiable, execute, floats, ints } from '../operation.js';

export interface RoiAlignOptions {
  /** The boxes `[R, 4]`; no gradient flows to them. */
  boxes: Tensor;
  /** The image that each is of, `[R]` int32. */
  image: Tensor;
  /** The feature map that each takes its bins from, `[R]` int32; −1: none, its bins are 0. */
  level: Tensor;
  /** A map's pixels an image's pixel, for each map: 1/4, 1/8, … */
  scales: number[];
  /** The sides of the result, in bins. */
  size: number;
  /** Samples a bin and side; 0: as many as the bin has pixels. */
  sampling: number;
  /** Pixels are points at their centres; the code that the paper used shifts them by half a pixel (false). */
  aligned: boolean;
}

/**
 * RoIAlign (He et al. 2017, arXiv 1703.06870, §3) from the maps of a pyramid.
 * @param features `[N, H, W, C]` of each level @returns `[R, size, size, C]`
 */
export function roiAlign(features: Tensor[], options: RoiAlignOptions): Tensor {
  const { boxes, image, level, scales, size, sampling, aligned } = options;
  const attributes = () => [
    ints('N', features.length),
    ints('size', size),
    ints('sampling', sampling),
    floats('scales', scales),
    bools('aligned', aligned),
  ];
  return differentiable(
    features,
    (...maps) => ({
      value: execute('GnbenchRoiAlign', attributes(), [...maps, boxes, image, level])[0],
      saved: [...maps, boxes, image, level],
    }),
    (gradient, saved) => execute('GnbenchRoiAlignGrad', attributes(), [gradient, ...saved], features.length),
  );
}

export interface SuppressionOptions {
  /** A box goes that overlaps a better one of its group by more than this, as intersection over union. */
  threshold: number;
  /** By just as much is too much, too. */
  inclusive?: boolean;
  /** Only boxes with a score above it are looked at. */
  minScore: number;
  /** Boxes an image that are kept at the most. */
  limit: number;
}

/**
 * Non-maximum suppression of every image's boxes, within groups: classes, or levels of a pyramid.
 * @param boxes `[N, K, 4]` @param scores `[N, K]` @param group `[N, K]` int32
 * @returns the numbers of the kept boxes, best first, `[N, limit]`, padded with −1; and how many there are, `[N]`
 */
export function suppress(
  boxes: Tensor,
  scores: Tensor,
  group: Tensor,
  { threshold, inclusive = false, minScore, limit }: SuppressionOptions,
): { kept: Tensor; valid: Tensor } {
  const attributes = [
    floats('threshold', threshold),
    bools('inclusive', inclusive),
    floats('min_score', minScore),
    ints('limit', limit),
  ];
  const [kept, valid] = execute('GnbenchNms', attributes, [boxes, scores, group], 2);
  return { kept, valid };
}

/** The kinds of entries in a list of true objects. */
export const TruthKind = { none: 0, object: 1, crowd: 2 } as const;

export interface MatchOptions {
  /** With an overlap below it a candidate is background. */
  low: number;
  /** From it on a candidate is an object's; between the two it is ignored. */
  high: number;
  /** The candidates that overlap an object most are its own, whatever the overlap; ties included. */
  bestOfEach: boolean;
  /** A background candidate of which a larger share lies in a crowd is ignored. */
  crowdOverlap: number;
}

/**
 * Which true object each candidate stands for.
 * @param boxes `[A, 4]`, the same for every image, or `[N, A, 4]`
 * @param truth `[N, G, 4]` @param kind `[N, G]` int32, of `TruthKind`
 * @returns `[N, A]` int32: an object's number, −1 for background, −2 where it is ignored
 */
export function matchBoxes(boxes: Tensor, truth: Tensor, kind: Tensor, options: MatchOptions): Tensor {
  const attributes = [
    floats('low', options.low),
    floats('high', options.high),
    bools('best_of_each', options.bestOfEach),
    floats('crowd_overlap', options.crowdOverlap),
  ];
  return execute('GnbenchMatchBoxes', attributes, [boxes, truth, kind])[0];
}

/**
 * Draws a fixed number of candidates to learn from: objects' first, `mostPositive` at the most, then background.
 * @param match `[N, A]` of `matchBoxes` @param seed `[2]` int32
 * @returns their numbers `[N, count]`, in order, padded with −1; how many are objects' and how many there are, `[N]`
 */
export function sampleMatches(
  match: Tensor,
  seed: Tensor,
  { count, mostPositive }: { count: number; mostPositive: number },
): { chosen: Tensor; positives: Tensor; total: Tensor } {
  const attributes = [ints('count', count), ints('most_positive', mostPositive)];
  const [chosen, positives, total] = execute('GnbenchSampleMatches', attributes, [match, seed], 3);
  return { chosen, positives, total };
}

export interface MaskTargetOptions {
  /** The boxes `[R, 4]`, the image and the object that each is of, `[R]` int32; object −1: none, its target is 0. */
  boxes: Tensor;
  image: Tensor;
  object: Tensor;
  /** The sides of a target, in pixels. */
  size: number;
  /** The height of the images that the masks cover. */
  height: number;
  width: number;
}

/**
 * The targets of a mask head: each box's part of its object's mask, 0 to 1.
 * @param runs the objects' run lengths one after the other, `[N, runs]` int32
 * @param start where each object's begin, and the last one's end, `[N, G + 1]` int32
 * @returns `[R, size, size]`
 */
export function maskTargets(runs: Tensor, start: Tensor, options: MaskTargetOptions): Tensor {
  const { boxes, image, object, size, height, width } = options;
  const attributes = [ints('size', size), ints('height', height), ints('width', width)];
  return execute('GnbenchMaskTargets', attributes, [runs, start, boxes, image, object])[0];
}
