import { isDeepStrictEqual } from 'node:util';

/** The value of each axis in one cell, by key path: `{ normalizer: { name: 'batch' }, 'batch.size': 32 }`. */
export type Point = Record<string, unknown>;

/** The values that pick cells, by axis: one value, or a list of them; a value that is a list itself stands in a list. */
export type Match = Record<string, unknown>;

/** Every combination of the axes' values, the last axis fastest; the order in which the values are listed. */
export function gridPoints(axes: Record<string, readonly unknown[]>): Point[] {
  return Object.entries(axes).reduce<Point[]>(
    (points, [path, values]) =>
      points.flatMap((point) => values.map((value) => ({ ...point, [path]: value }))),
    [{}],
  );
}

/** True when a point has, for each axis that `match` names, the value (or one of the values) that it names. */
export function matches(point: Point, match: Match): boolean {
  return Object.entries(match).every(([path, wanted]) =>
    (Array.isArray(wanted) ? [wanted, ...wanted] : [wanted]).some((value) => sameValue(point[path], value)),
  );
}

/** `group` stands for `{ name: group, groups: 8 }`, and a mapping for one that holds all of its keys. */
function sameValue(actual: unknown, wanted: unknown): boolean {
  if (isMapping(actual)) {
    if (!isMapping(wanted)) return actual.name === wanted;
    return Object.entries(wanted).every(([key, value]) => sameValue(actual[key], value));
  }
  return isDeepStrictEqual(actual, wanted);
}

/** A value of a configuration as text. An object's own `toString` is whatever a file says, so it is not asked. */
export const valueText = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value);

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
