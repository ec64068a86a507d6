/** Detections and the true objects of one image and category, matched as COCO does it. */
import {
  type AreaRange,
  areaRanges,
  type Box,
  type Detection,
  overlapThresholds,
  type TrueObject,
} from './detections.js';
import { maskArea, maskBox, maskOverlap } from './run-length.js';

export interface MatchedImage {
  /** The detections' scores, best first. */
  scores: Float64Array;
  /** How many objects count in each range of areas: neither crowds nor of another size. */
  counted: Record<AreaRange, number>;
  ranges: Record<AreaRange, Matches>;
}

/** Both `[thresholds, detections]`. */
interface Matches {
  /** 1 where the detection is an object's. */
  matched: Uint8Array;
  /** 1 where the detection counts neither as right nor as wrong. */
  ignored: Uint8Array;
}

/** @param limit the most detections that are looked at, the best ones */
export function matchImage(
  truth: readonly TrueObject[],
  detections: readonly Detection[],
  by: 'box' | 'mask',
  limit: number,
): MatchedImage {
  const best = [...detections].sort((a, b) => b.score - a.score).slice(0, limit);
  const overlaps = by === 'box' ? boxOverlaps(best, truth) : maskOverlaps(best, truth);
  const areas = best.map(({ box, mask }) => (by === 'box' ? box[2] * box[3] : maskArea(mask!)));
  const counted = {} as Record<AreaRange, number>;
  const ranges = {} as Record<AreaRange, Matches>;
  for (const range of Object.keys(areaRanges) as AreaRange[]) {
    const outside = (area: number) => area < areaRanges[range][0] || area > areaRanges[range][1];
    const ignore = truth.map(({ crowd, area }) => crowd || outside(area));
    counted[range] = ignore.filter((ignored) => !ignored).length;
    ranges[range] = match(truth, overlaps, ignore, areas.map(outside));
  }
  return { scores: Float64Array.from(best, ({ score }) => score), counted, ranges };
}

/** @param overlaps `[detections][truth]` @param ignore of each object @param outside of each detection, by its area */
function match(
  truth: readonly TrueObject[],
  overlaps: readonly Float64Array[],
  ignore: readonly boolean[],
  outside: readonly boolean[],
): Matches {
  const count = overlaps.length;
  const matched = new Uint8Array(overlapThresholds.length * count);
  const ignored = new Uint8Array(overlapThresholds.length * count);
  // Objects that count come first.
  const order = [...truth.keys()].sort((a, b) => Number(ignore[a]) - Number(ignore[b]));
  for (const [t, threshold] of overlapThresholds.entries()) {
    const taken = new Uint8Array(truth.length);
    for (let d = 0; d < count; d++) {
      let best = Math.min(threshold, 1 - 1e-10);
      let found = -1;
      for (const g of order) {
        if (taken[g] && !truth[g].crowd) continue;
        if (found >= 0 && !ignore[found] && ignore[g]) break; // an object that counts is not given up for one that does not
        if (overlaps[d][g] < best) continue;
        best = overlaps[d][g];
        found = g;
      }
      const at = t * count + d;
      if (found >= 0) {
        taken[found] = 1;
        matched[at] = 1;
        ignored[at] = Number(ignore[found]);
      } else ignored[at] = Number(outside[d]);
    }
  }
  return { matched, ignored };
}

const boxOverlaps = (detections: readonly Detection[], truth: readonly TrueObject[]) =>
  detections.map(({ box }) =>
    Float64Array.from(truth, (object) => boxOverlap(box, object.box, object.crowd)),
  );

function maskOverlaps(detections: readonly Detection[], truth: readonly TrueObject[]) {
  const boxes = truth.map(({ mask }) => maskBox(mask!));
  return detections.map(({ mask }) => {
    const box = maskBox(mask!);
    return Float64Array.from(truth, (object, index) =>
      boxOverlap(box, boxes[index], object.crowd) > 0 ? maskOverlap(mask!, object.mask!, object.crowd) : 0,
    );
  });
}

/** Intersection over union; with a crowd, intersection over the detection's area. */
export function boxOverlap(detection: Box, truth: Box, crowd: boolean): number {
  const width = Math.min(detection[2] + detection[0], truth[2] + truth[0]) - Math.max(detection[0], truth[0]);
  if (width <= 0) return 0;
  const height =
    Math.min(detection[3] + detection[1], truth[3] + truth[1]) - Math.max(detection[1], truth[1]);
  if (height <= 0) return 0;
  const intersection = width * height;
  const area = detection[2] * detection[3];
  return intersection / (crowd ? area : area + truth[2] * truth[3] - intersection);
}
