/**
 * Average precision as COCO defines it (cocodataset/cocoapi, PythonAPI/pycocotools/cocoeval.py), for boxes and masks:
 * detections are matched to the truth image by image and category by category at ten thresholds of overlap, and the
 * precision is averaged over 101 levels of recall.
 */
import { type AreaRange, areaRanges, type Evaluated, overlapThresholds } from './detections.js';
import { type MatchedImage, matchImage } from './matching.js';

/** 101 levels of recall: 0, 0.01, …, 1. */
const recallLevels = Float64Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));

/** Detections an image and category that count at the most. */
const limits = [1, 10, 100] as const;

/** Fractions of 0 to 1; undefined where no object counts that it could be of. */
export interface AveragePrecision {
  AP: number | undefined;
  AP50: number | undefined;
  AP75: number | undefined;
  APsmall: number | undefined;
  APmedium: number | undefined;
  APlarge: number | undefined;
  AP50small: number | undefined;
  AP50medium: number | undefined;
  AP50large: number | undefined;
  /** Average recall with at most 1, 10 and 100 detections an image. */
  AR1: number | undefined;
  AR10: number | undefined;
  AR100: number | undefined;
  ARsmall: number | undefined;
  ARmedium: number | undefined;
  ARlarge: number | undefined;
  perCategory: { category: number; objects: number; AP: number | undefined; AP50: number | undefined }[];
  /** Precision at the levels of recall 0, 0.01, …, 1, at an overlap of 0.5, mean over the categories that have objects. */
  precisionAt50: number[] | undefined;
}

/** The twelve numbers that pycocotools prints, in its order. */
export const cocoNumbers = [
  ...(['AP', 'AP50', 'AP75', 'APsmall', 'APmedium', 'APlarge'] as const),
  ...(['AR1', 'AR10', 'AR100', 'ARsmall', 'ARmedium', 'ARlarge'] as const),
];

/** The curve of one category, range of areas and limit of detections. */
interface Curve {
  /** `[thresholds, levels]` */
  precision: Float64Array;
  /** `[thresholds]` */
  recall: Float64Array;
}

export function averagePrecision(evaluated: Evaluated): AveragePrecision {
  const { categories } = evaluated;
  const images = [...new Set(evaluated.images)].sort((a, b) => a - b);
  const truth = byCategoryAndImage(evaluated.truth);
  const detections = byCategoryAndImage(evaluated.detections);
  const sorted = [...new Set(categories)].sort((a, b) => a - b);
  const curves = new Map<string, (Curve | undefined)[]>();
  const objects: number[] = [];
  for (const category of sorted) {
    const matched = images.flatMap((image) => {
      const key = `${category} ${image}`;
      const [objectsHere, detectionsHere] = [truth.get(key) ?? [], detections.get(key) ?? []];
      if (objectsHere.length === 0 && detectionsHere.length === 0) return [];
      return [matchImage(objectsHere, detectionsHere, evaluated.by, limits.at(-1)!)];
    });
    objects.push(matched.reduce((sum, image) => sum + image.counted.all, 0));
    for (const range of Object.keys(areaRanges) as AreaRange[]) {
      for (const limit of limits) {
        const key = `${range} ${limit}`;
        if (!curves.has(key)) curves.set(key, []);
        curves.get(key)!.push(curveOf(matched, range, limit));
      }
    }
  }
  const precision = (range: AreaRange, threshold?: number) =>
    meanPrecision(curves.get(`${range} 100`)!, threshold);
  const recall = (range: AreaRange, limit: number) => meanRecall(curves.get(`${range} ${limit}`)!);
  return {
    AP: precision('all'),
    AP50: precision('all', 0),
    AP75: precision('all', 5),
    APsmall: precision('small'),
    APmedium: precision('medium'),
    APlarge: precision('large'),
    AP50small: precision('small', 0),
    AP50medium: precision('medium', 0),
    AP50large: precision('large', 0),
    AR1: recall('all', 1),
    AR10: recall('all', 10),
    AR100: recall('all', 100),
    ARsmall: recall('small', 100),
    ARmedium: recall('medium', 100),
    ARlarge: recall('large', 100),
    perCategory: sorted.map((category, index) => {
      const curve = [curves.get('all 100')![index]];
      const [AP, AP50] = [meanPrecision(curve), meanPrecision(curve, 0)];
      return { category, objects: objects[index], AP, AP50 };
    }),
    precisionAt50: meanCurve(curves.get('all 100')!),
  };
}

function byCategoryAndImage<Entry extends { image: number; category: number }>(entries: readonly Entry[]) {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = `${entry.category} ${entry.image}`;
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return groups;
}

/** @returns undefined where no object of the category counts in this range of areas */
function curveOf(images: MatchedImage[], range: AreaRange, limit: number): Curve | undefined {
  const objects = images.reduce((sum, image) => sum + image.counted[range], 0);
  if (objects === 0) return undefined;
  // All images' detections, best first; among equal scores the order of images and detections stays.
  const order = images
    .flatMap((image) =>
      Array.from(image.scores.subarray(0, limit), (score, index) => ({ image, index, score })),
    )
    .sort((a, b) => b.score - a.score);
  const precision = new Float64Array(overlapThresholds.length * recallLevels.length);
  const recall = new Float64Array(overlapThresholds.length);
  const [precisions, recalls] = [new Float64Array(order.length), new Float64Array(order.length)];
  for (let threshold = 0; threshold < overlapThresholds.length; threshold++) {
    let [truePositives, falsePositives] = [0, 0];
    for (const [rank, { image, index }] of order.entries()) {
      const { matched, ignored } = image.ranges[range];
      const at = threshold * image.scores.length + index;
      if (!ignored[at]) {
        if (matched[at]) truePositives++;
        else falsePositives++;
      }
      recalls[rank] = truePositives / objects;
      precisions[rank] = truePositives / (falsePositives + truePositives + Number.EPSILON);
    }
    recall[threshold] = order.length > 0 ? recalls[order.length - 1] : 0;
    // From behind: the best precision at this recall or a higher one.
    for (let rank = order.length - 2; rank >= 0; rank--) {
      precisions[rank] = Math.max(precisions[rank], precisions[rank + 1]);
    }
    let rank = 0;
    for (const [index, level] of recallLevels.entries()) {
      while (rank < order.length && recalls[rank] < level) rank++;
      if (rank === order.length) break; // recalls that were not reached have a precision of 0
      precision[threshold * recallLevels.length + index] = precisions[rank];
    }
  }
  return { precision, recall };
}

/** @param threshold the only one that counts, by its number; undefined: all */
function meanPrecision(curves: (Curve | undefined)[], threshold?: number): number | undefined {
  const present = curves.filter((curve) => curve !== undefined);
  const thresholds = threshold === undefined ? overlapThresholds.keys() : [threshold];
  // In the order [threshold, level, category], in which the reference adds up.
  const values: number[] = [];
  for (const at of thresholds) {
    for (let level = 0; level < recallLevels.length; level++) {
      for (const { precision } of present) values.push(precision[at * recallLevels.length + level]);
    }
  }
  return mean(values);
}

function meanRecall(curves: (Curve | undefined)[]): number | undefined {
  const present = curves.filter((curve) => curve !== undefined);
  return mean([...overlapThresholds.keys()].flatMap((at) => present.map(({ recall }) => recall[at])));
}

function meanCurve(curves: (Curve | undefined)[]): number[] | undefined {
  const present = curves.filter((curve) => curve !== undefined);
  if (present.length === 0) return undefined;
  return Array.from(recallLevels, (_, level) => mean(present.map(({ precision }) => precision[level]))!);
}

const mean = (values: number[]): number | undefined =>
  values.length === 0 ? undefined : pairwiseSum(values, 0, values.length) / values.length;

/**
 * NumPy's order of addition (pairwise, blocks of 128 in eight lanes), so that a mean agrees with the reference to the
 * last digit.
 */
function pairwiseSum(values: number[], start: number, count: number): number {
  if (count < 8) {
    let sum = 0;
    for (let i = start; i < start + count; i++) sum += values[i];
    return sum;
  }
  if (count <= 128) {
    const lanes = values.slice(start, start + 8);
    let i = 8;
    for (; i < count - (count % 8); i += 8) {
      for (let lane = 0; lane < 8; lane++) lanes[lane] += values[start + i + lane];
    }
    const [a, b, c, d, e, f, g, h] = lanes;
    let sum = a + b + (c + d) + (e + f + (g + h));
    for (; i < count; i++) sum += values[start + i];
    return sum;
  }
  const half = Math.floor(count / 2);
  const split = half - (half % 8);
  return pairwiseSum(values, start, split) + pairwiseSum(values, start + split, count - split);
}
