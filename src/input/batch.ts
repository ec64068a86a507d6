/**
 * A batch: named arrays, the images first. One description serves the thread that fills it, the ring that carries it,
 * and the step that is fed with it.
 */

/** One of an example's arrays. */
export interface ArraySpec {
  /** Without the batch: `[H, W, C]` of an image, `[]` of a label. */
  shape: readonly number[];
  dtype: 'uint8' | 'int32' | 'float32';
}

/** The arrays of one example, by name: `{ images: …, labels: { shape: [], dtype: 'int32' } }`. */
export type BatchSpec = Readonly<Record<string, ArraySpec>>;

export type Values = Float32Array | Int32Array | Uint8Array;

/** The arrays of a batch's examples, one example after another. */
export type Batch = Record<string, Values>;

const kinds = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array };

/** Numbers in one example's array. */
export const sizeOf = ({ shape }: ArraySpec): number =>
  shape.reduce((product, extent) => product * extent, 1);

const bytesPerNumber = ({ dtype }: ArraySpec): number => kinds[dtype].BYTES_PER_ELEMENT;

/** Bytes of one example. */
export const bytesOf = (spec: BatchSpec): number =>
  Object.values(spec).reduce((sum, array) => sum + sizeOf(array) * bytesPerNumber(array), 0);

/** Arrays for `count` examples, all zero, in memory that threads share. */
export function sharedArrays(spec: BatchSpec, count: number): Batch {
  return mapArrays(spec, (array) => {
    const Kind = kinds[array.dtype] as new (buffer: SharedArrayBuffer) => Values;
    return new Kind(new SharedArrayBuffer(count * sizeOf(array) * bytesPerNumber(array)));
  });
}

/** Views of `count` examples from the one at place `first` on. */
export const slice = (spec: BatchSpec, arrays: Batch, first: number, count: number): Batch =>
  mapArrays(spec, (array, name) => {
    const size = sizeOf(array);
    return arrays[name].subarray(first * size, (first + count) * size);
  });

function mapArrays(spec: BatchSpec, map: (array: ArraySpec, name: string) => Values): Batch {
  return Object.fromEntries(Object.entries(spec).map(([name, array]) => [name, map(array, name)]));
}

/**
 * Ragged arrays, of which each example has another number of rows: they are padded with zeros to `most` rows, and a
 * further array, `valid`, holds 1 for a row that is there and 0 for padding.
 *
 * @param rows one row of each: `{ boxes: { shape: [4], dtype: 'float32' }, … }`
 */
export function ragged(rows: BatchSpec, most: number): BatchSpec {
  const padded = Object.entries(rows).map(
    ([name, { shape, dtype }]) => [name, { shape: [most, ...shape], dtype }] as const,
  );
  return { ...Object.fromEntries(padded), valid: { shape: [most], dtype: 'float32' } };
}

/**
 * Writes the rows of one example into ragged arrays, zeros behind them.
 *
 * @param spec as `ragged` made it
 * @param rows the rows of each array, one after another
 * @returns how many rows had to be left out
 */
export function writeRagged(
  spec: BatchSpec,
  into: Batch,
  at: number,
  rows: Record<string, ArrayLike<number>>,
): number {
  const [most] = spec.valid.shape;
  const counts = Object.entries(rows).map(([name, values]) => values.length / (sizeOf(spec[name]) / most));
  const [count] = counts;
  if (!Number.isInteger(count) || counts.some((other) => other !== count)) {
    throw new RangeError(`ragged arrays of ${counts.join(' and ')} rows`);
  }
  const kept = Math.min(most, count);
  for (const [name, values] of Object.entries(rows)) {
    const size = sizeOf(spec[name]);
    const target = into[name].subarray(at * size, (at + 1) * size).fill(0);
    const used = kept * (size / most);
    for (let index = 0; index < used; index++) target[index] = values[index];
  }
  const valid = into.valid.subarray(at * most, (at + 1) * most);
  valid.fill(1, 0, kept);
  valid.fill(0, kept);
  return count - kept;
}
