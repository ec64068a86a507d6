/**
 * Masks of a head, S × S within a box, to masks of the image: each pixel's centre is looked up in the box, between the
 * four nearest values, with zeros around them. (Boxes that were rounded to pixels first, as in the code that the paper
 * used, cost about half a point of mask AP; see detectron2's comparison with Detectron.)
 */
import type { RunLengths } from '../../coco/run-length.js';

/** Values of a row or column between which a pixel's centre lies, and the share of the second. */
interface Lookup {
  first: number;
  share: number;
}

/**
 * @param values `[size, size]`, 0 to 1: a pixel belongs to the mask from 0.5 on
 * @param box left, top, right, bottom in the image's pixels
 */
export function pasteMask(
  values: ArrayLike<number>,
  size: number,
  [left, top, right, bottom]: ArrayLike<number> & Iterable<number>,
  { height, width }: { height: number; width: number },
): RunLengths {
  const columns = lookups(left, right, size, width);
  const rows = lookups(top, bottom, size, height);
  const counts: number[] = [];
  let [at, foreground] = [0, false];
  /** The pixels up to `end` are of the present kind, and those from there on of the other. */
  const turn = (end: number) => {
    if (end === at && counts.length > 0) {
      // Two turns at one place are none: the run before goes on.
      at -= counts.pop()!;
    } else {
      counts.push(end - at);
      at = end;
    }
    foreground = !foreground;
  };
  const value = (x: number, y: number) =>
    x < 0 || y < 0 || x >= size || y >= size ? 0 : values[y * size + x];
  for (const { pixel: x, first: across, share: shareX } of columns) {
    for (const { pixel: y, first: down, share: shareY } of rows) {
      const upper = value(across, down) * (1 - shareX) + value(across + 1, down) * shareX;
      const lower = value(across, down + 1) * (1 - shareX) + value(across + 1, down + 1) * shareX;
      if (upper * (1 - shareY) + lower * shareY >= 0.5 !== foreground) turn(x * height + y);
    }
    const end = rows.length > 0 ? x * height + rows.at(-1)!.pixel + 1 : 0;
    if (foreground && !(rows.length === height)) turn(end);
  }
  const end = columns.length > 0 ? (columns.at(-1)!.pixel + 1) * height : 0;
  if (foreground) turn(end);
  if (at < height * width || counts.length === 0) counts.push(height * width - at);
  return { height, width, counts: Uint32Array.from(counts) };
}

/** The pixels whose centres lie where a value can reach them. */
function lookups(from: number, to: number, size: number, extent: number): (Lookup & { pixel: number })[] {
  const side = Math.max(to - from, 1e-6);
  const reach = side / size / 2;
  const first = Math.max(0, Math.ceil(from - reach - 0.5));
  const last = Math.min(extent - 1, Math.floor(to + reach - 0.5));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const place = ((first + i + 0.5 - from) / side) * size - 0.5;
    return { pixel: first + i, first: Math.floor(place), share: place - Math.floor(place) };
  });
}
