/**
 * Polygons to masks as COCO rasterises them (cocodataset/cocoapi, common/maskApi.c, rleFrPoly): the boundary is followed
 * on a grid five times as fine, and a pixel's run begins where the boundary crosses the centre of its column.
 */
import { mergeMasks, type RunLengths } from './run-length.js';

const scale = 5;

/**
 * @param polygon x and y of its corners in turn, in pixels
 * @returns its mask; parts outside of the image are cut off
 */
export function polygonMask(polygon: ArrayLike<number>, height: number, width: number): RunLengths {
  const crossings = columnCrossings(boundary(polygon), height, width);
  crossings.push(height * width);
  const ends = Uint32Array.from(crossings).sort();
  const lengths = ends.map((end, index) => (index === 0 ? end : end - ends[index - 1]));
  // Two crossings at one place are none: the runs on both sides are one.
  const counts = [lengths[0]];
  for (let index = 1; index < lengths.length; ) {
    if (lengths[index] > 0) counts.push(lengths[index++]);
    else {
      index++;
      if (index < lengths.length) counts[counts.length - 1] += lengths[index++];
    }
  }
  return { height, width, counts: Uint32Array.from(counts) };
}

/** The mask of an object that consists of several polygons: their union. */
export const polygonsMask = (
  polygons: readonly ArrayLike<number>[],
  height: number,
  width: number,
): RunLengths => mergeMasks(polygons.map((polygon) => polygonMask(polygon, height, width)));

/** The mask of a box `[x, y, width, height]`. */
export function boxMask([x, y, w, h]: readonly number[], height: number, width: number): RunLengths {
  return polygonMask([x, y, x, y + h, x + w, y + h, x + w, y], height, width);
}

interface Points {
  x: Int32Array;
  y: Int32Array;
}

/** Every point of the fine grid along the boundary, edge by edge. */
function boundary(polygon: ArrayLike<number>): Points {
  const corners = polygon.length >> 1;
  const x = Int32Array.from({ length: corners + 1 }, (_, i) =>
    Math.trunc(scale * polygon[2 * (i % corners)] + 0.5),
  );
  const y = Int32Array.from({ length: corners + 1 }, (_, i) =>
    Math.trunc(scale * polygon[2 * (i % corners) + 1] + 0.5),
  );
  let count = 0;
  for (let i = 0; i < corners; i++)
    count += Math.max(Math.abs(x[i] - x[i + 1]), Math.abs(y[i] - y[i + 1])) + 1;
  const points = { x: new Int32Array(count), y: new Int32Array(count) };
  let at = 0;
  for (let i = 0; i < corners; i++) {
    const [dx, dy] = [Math.abs(x[i + 1] - x[i]), Math.abs(y[i + 1] - y[i])];
    const steep = dx < dy;
    // An edge is walked from its smaller coordinate on, whichever end comes first, so that both ways round give the same.
    const flip = steep ? y[i] > y[i + 1] : x[i] > x[i + 1];
    const [from, to] = flip ? [i + 1, i] : [i, i + 1];
    const length = steep ? dy : dx;
    const slope = length === 0 ? 0 : (steep ? x[to] - x[from] : y[to] - y[from]) / length;
    for (let d = 0; d <= length; d++) {
      const t = flip ? length - d : d;
      points.x[at] = steep ? Math.trunc(x[from] + slope * t + 0.5) : t + x[from];
      points.y[at] = steep ? t + y[from] : Math.trunc(y[from] + slope * t + 0.5);
      at++;
    }
  }
  return points;
}

/** The pixels, column-major, at which the boundary crosses the centres of columns. */
function columnCrossings({ x, y }: Points, height: number, width: number): number[] {
  const crossings: number[] = [];
  for (let i = 1; i < x.length; i++) {
    if (x[i] === x[i - 1]) continue;
    const column = ((x[i] < x[i - 1] ? x[i] : x[i] - 1) + 0.5) / scale - 0.5;
    if (!Number.isInteger(column) || column < 0 || column > width - 1) continue;
    const row = (Math.min(y[i], y[i - 1]) + 0.5) / scale - 0.5;
    crossings.push(column * height + Math.ceil(Math.min(Math.max(row, 0), height)));
  }
  return crossings;
}
