/**
 * Masks as COCO stores them: run-length encoded down the columns, a run of background first. The rules are those of
 * COCO's mask API (cocodataset/cocoapi, common/maskApi.c), followed to the last run.
 */

export interface RunLengths {
  height: number;
  width: number;
  /** Lengths of the runs in column-major order: background, foreground, background, … They add up to height · width. */
  counts: Uint32Array;
}

/** @param pixels `[height, width]` in row-major order; whatever is not 0 is foreground */
export function encodeMask(pixels: ArrayLike<number>, height: number, width: number): RunLengths {
  const counts: number[] = [];
  let run = 0;
  let foreground = false;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if ((pixels[y * width + x] !== 0) !== foreground) {
        counts.push(run);
        run = 0;
        foreground = !foreground;
      }
      run++;
    }
  }
  counts.push(run);
  return { height, width, counts: Uint32Array.from(counts) };
}

/** @returns 0 and 1, `[height, width]` in row-major order */
export function decodeMask({ height, width, counts }: RunLengths): Uint8Array {
  const pixels = new Uint8Array(height * width);
  let at = 0;
  for (const [index, count] of counts.entries()) {
    if (index % 2 === 1) {
      for (let pixel = at; pixel < at + count; pixel++) {
        pixels[(pixel % height) * width + Math.floor(pixel / height)] = 1;
      }
    }
    at += count;
  }
  return pixels;
}

/** The number of foreground pixels. */
export function maskArea({ counts }: RunLengths): number {
  let area = 0;
  for (let index = 1; index < counts.length; index += 2) area += counts[index];
  return area;
}

/** The smallest box around the foreground, `[x, y, width, height]`; all 0 where there is none. */
export function maskBox({ height, width, counts }: RunLengths): [number, number, number, number] {
  const runs = counts.length - (counts.length % 2);
  if (runs === 0) return [0, 0, 0, 0];
  let [left, top, right, bottom] = [width, height, 0, 0];
  let [end, column] = [0, 0];
  for (let index = 0; index < runs; index++) {
    end += counts[index];
    const pixel = end - (index % 2); // a run's first pixel, then its last
    const y = pixel % height;
    const x = (pixel - y) / height;
    if (index % 2 === 0) column = x;
    else if (column < x) [top, bottom] = [0, height - 1];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return [left, top, right - left + 1, bottom - top + 1];
}

/** The union of masks of one size, or their intersection. @throws RangeError where sizes differ or there is no mask */
export function mergeMasks(
  masks: readonly RunLengths[],
  how: 'union' | 'intersection' = 'union',
): RunLengths {
  if (masks.length === 0) throw new RangeError('no masks to merge');
  const [{ height, width }] = masks;
  let merged = masks[0].counts;
  for (const other of masks.slice(1)) {
    if (other.height !== height || other.width !== width) throw new RangeError('masks of different sizes');
    const counts: number[] = [];
    let [run, inside] = [0, false];
    walkRuns(merged, other.counts, (length, inFirst, inSecond) => {
      const now = how === 'union' ? inFirst || inSecond : inFirst && inSecond;
      if (now !== inside) {
        counts.push(run);
        [run, inside] = [0, now];
      }
      run += length;
    });
    counts.push(run);
    merged = Uint32Array.from(counts);
  }
  return { height, width, counts: merged };
}

/**
 * Intersection over union; with a crowd as the second mask, intersection over the first one's area, since a crowd may
 * hold any number of objects.
 */
export function maskOverlap(mask: RunLengths, truth: RunLengths, crowd: boolean): number {
  if (mask.height !== truth.height || mask.width !== truth.width) {
    throw new RangeError('masks of different sizes');
  }
  const [a, b] = [mask.counts, truth.counts];
  let [leftA, leftB] = [a[0], b[0]];
  let [nextA, nextB] = [1, 1];
  let [inA, inB] = [false, false];
  let [intersection, union] = [0, 0];
  // As `walkRuns`, written out: evaluation spends its time here.
  for (;;) {
    const length = leftA < leftB ? leftA : leftB;
    if (inA || inB) {
      union += length;
      if (inA && inB) intersection += length;
    }
    leftA -= length;
    leftB -= length;
    if (leftA === 0 && nextA < a.length) {
      leftA = a[nextA++];
      inA = !inA;
    }
    if (leftB === 0 && nextB < b.length) {
      leftB = b[nextB++];
      inB = !inB;
    }
    if (leftA === 0 && leftB === 0 && nextA >= a.length && nextB >= b.length) break;
  }
  if (intersection === 0) return 0;
  return intersection / (crowd ? maskArea(mask) : union);
}

/** Walks two lists of runs side by side; calls `visit` for each stretch in which neither changes. */
function walkRuns(
  a: Uint32Array,
  b: Uint32Array,
  visit: (length: number, inFirst: boolean, inSecond: boolean) => void,
): void {
  let [leftA, leftB, nextA, nextB, inA, inB] = [a[0], b[0], 1, 1, false, false];
  for (;;) {
    while (leftA === 0 && nextA < a.length) [leftA, inA] = [a[nextA++], !inA];
    while (leftB === 0 && nextB < b.length) [leftB, inB] = [b[nextB++], !inB];
    const length = Math.min(leftA, leftB);
    if (length === 0) return;
    visit(length, inA, inB);
    leftA -= length;
    leftB -= length;
  }
}

/** COCO's compressed string: each count less the one two before it, in digits of 5 bits, printable characters. */
export function compressCounts(counts: Uint32Array): string {
  const characters: number[] = [];
  for (const [index, count] of counts.entries()) {
    let rest = index > 2 ? count - counts[index - 2] : count;
    for (let more = true; more; ) {
      const digit = rest & 0x1f;
      rest >>= 5;
      more = digit & 0x10 ? rest !== -1 : rest !== 0;
      characters.push((more ? digit | 0x20 : digit) + 48);
    }
  }
  return String.fromCharCode(...characters);
}

/** @throws RangeError where the text ends within a number or holds a character that no digit has */
export function expandCounts(text: string): Uint32Array {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let [value, shift, digit] = [0, 0, 0];
    do {
      digit = text.charCodeAt(at++) - 48;
      if (!(digit >= 0 && digit < 64))
        throw new RangeError(`character ${at} is not one of a compressed mask`);
      if (shift > 30) throw new RangeError(`the number that ends at character ${at} is too large`);
      value |= (digit & 0x1f) << shift;
      shift += 5;
    } while (digit & 0x20);
    if (digit & 0x10 && shift < 32) value |= -1 << shift;
    const count = counts.length > 2 ? value + counts[counts.length - 2] : value;
    if (count < 0) throw new RangeError(`run ${counts.length} has a negative length`);
    counts.push(count);
  }
  return Uint32Array.from(counts);
}
