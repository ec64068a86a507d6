/**
 * The parts of a detector's step that TensorFlow has no operation for: RoIAlign, non-maximum suppression, matching,
 * sampling and mask targets. Shapes are fixed, so that a step can be recorded: what there is less of is padded.
 * Boxes are `[left, top, right, bottom]` in pixels. Where a kernel may not be used, or the device has none, the
 * definition in TensorFlow's operations is computed.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { type Kernels, kernels } from '../kernel-table.js';
import { bools, differentiable, execute, floats, ints } from '../operation.js';
import { maskTargetsDefinition } from './definitions/mask-targets.js';
import { matchBoxesDefinition } from './definitions/matching.js';
import { roiAlignDefinition } from './definitions/roi-align.js';
import { sampleMatchesDefinition } from './definitions/sampling.js';
import { suppressDefinition } from './definitions/suppression.js';
import type {
  MaskTargetOptions,
  MatchOptions,
  RoiAlignOptions,
  SuppressionOptions,
} from './detection-options.js';

export type {
  MaskTargetOptions,
  MatchOptions,
  RoiAlignOptions,
  SuppressionOptions,
} from './detection-options.js';
export { Match, TruthKind } from './truth.js';

/**
 * RoIAlign (He et al. 2017, arXiv 1703.06870, §3) from the maps of a pyramid.
 * @param features `[N, H, W, C]` of each level @returns `[R, size, size, C]`
 */
export function roiAlign(
  features: Tensor[],
  options: RoiAlignOptions,
  use: Kernels = kernels('kernels'),
): Tensor {
  if (!use.roiAlign) return roiAlignDefinition(features, options);
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

/**
 * Non-maximum suppression of every image's boxes, within groups: classes, or levels of a pyramid.
 * @param boxes `[N, K, 4]` @param scores `[N, K]` @param group `[N, K]` int32
 * @returns the numbers of the kept boxes, best first, `[N, limit]`, padded with −1; and how many there are, `[N]`
 */
export function suppress(
  boxes: Tensor,
  scores: Tensor,
  group: Tensor,
  options: SuppressionOptions,
  use: Kernels = kernels('kernels'),
): { kept: Tensor; valid: Tensor } {
  if (!use.suppression) return suppressDefinition(boxes, scores, group, options);
  const { threshold, inclusive = false, minScore, limit } = options;
  const attributes = [
    floats('threshold', threshold),
    bools('inclusive', inclusive),
    floats('min_score', minScore),
    ints('limit', limit),
  ];
  const [kept, valid] = execute('GnbenchNms', attributes, [boxes, scores, group], 2);
  return { kept, valid };
}

/**
 * Which true object each candidate stands for.
 * @param boxes `[A, 4]`, the same for every image, or `[N, A, 4]`
 * @param truth `[N, G, 4]` @param kind `[N, G]` int32, of `TruthKind`
 * @returns `[N, A]` int32: an object's number, −1 for background, −2 where it is ignored
 */
export function matchBoxes(
  boxes: Tensor,
  truth: Tensor,
  kind: Tensor,
  options: MatchOptions,
  use: Kernels = kernels('kernels'),
): Tensor {
  if (!use.matching) return matchBoxesDefinition(boxes, truth, kind, options);
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
  use: Kernels = kernels('kernels'),
): { chosen: Tensor; positives: Tensor; total: Tensor } {
  if (!use.sampling) return sampleMatchesDefinition(match, seed, { count, mostPositive });
  const attributes = [ints('count', count), ints('most_positive', mostPositive)];
  const [chosen, positives, total] = execute('GnbenchSampleMatches', attributes, [match, seed], 3);
  return { chosen, positives, total };
}

/**
 * The targets of a mask head: each box's part of its object's mask, 0 to 1.
 * @param runs the objects' run lengths one after the other, `[N, runs]` int32
 * @param start where each object's begin, and the last one's end, `[N, G + 1]` int32
 * @returns `[R, size, size]`
 */
export function maskTargets(
  runs: Tensor,
  start: Tensor,
  options: MaskTargetOptions,
  use: Kernels = kernels('kernels'),
): Tensor {
  if (!use.maskTargets) return maskTargetsDefinition(runs, start, options);
  const { boxes, image, object, size, height, width, aligned } = options;
  const attributes = [
    ints('size', size),
    ints('height', height),
    ints('width', width),
    bools('aligned', aligned),
  ];
  return execute('GnbenchMaskTargets', attributes, [runs, start, boxes, image, object])[0];
}
