import { isMapping, type Point } from './grid.js';

// Maps: what a user calls valueOf is no method of an object.
const shortNames = new Map(Object.entries({ batch: 'bn', group: 'gn', layer: 'ln', instance: 'in' }));

/** How a key path's value is told in a folder's name: `batch.size` 32 is `b32`. Others: last word, then the value. */
const prefixes = new Map(
  Object.entries({
    'batch.size': 'b',
    'batch.workers': 'w',
    'normalizer.groups': 'g',
    'normalizer.channelsPerGroup': 'c',
    'model.name': '',
    'data.name': '',
    precision: '',
  }),
);

/** A mapping with a word of its own: `init: { weights: …, head: … }`. */
const initWord = (init: unknown) => (init === 'scratch' ? 'scratch' : 'pretrained');

const many = (count: string, noun: string) => `${count} ${noun}${count === '1' ? '' : 's'}`;

const labels = new Map(
  Object.entries<(value: string) => string>({
    'batch.size': (value) => `batch ${value}`,
    'batch.workers': (value) => many(value, 'worker'),
    'normalizer.groups': (value) => many(value, 'group'),
    'normalizer.channelsPerGroup': (value) => `${many(value, 'channel')} a group`,
    'model.name': (value) => value,
    'data.name': (value) => value,
    precision: (value) => value,
  }),
);

/** A folder name a person can read, from letters, digits, `.` and `-`: `bn-b32`, `gn-g8-b2`. The normalizer comes first. */
export function cellSlug(point: Point): string {
  const parts = byNormalizer(point).flatMap(([path, value]) => slugParts(path, value));
  const slug = parts.join('-').replace(/^[-.]+/, '');
  return slug === '' ? 'cell' : slug.slice(0, 80);
}

/** The same for a table's row or a figure's legend: `BN, batch 32`. */
export function cellLabel(point: Point): string {
  return byNormalizer(point)
    .map(([path, value]) => labelPart(path, value))
    .join(', ');
}

function byNormalizer(point: Point): [string, unknown][] {
  const rank = (path: string) => (path.split('.')[0] === 'normalizer' ? 0 : 1);
  return Object.entries(point).sort(([a], [b]) => rank(a) - rank(b));
}

function slugParts(path: string, value: unknown): string[] {
  if (path === 'init') return [initWord(value)];
  if (isMapping(value)) {
    const { name, ...rest } = value;
    const own = name === undefined ? [] : [shortNames.get(String(name)) ?? clean(String(name))];
    return [...own, ...Object.entries(rest).flatMap(([key, inner]) => slugParts(`${path}.${key}`, inner))];
  }
  if (path === 'normalizer' || path === 'normalizer.name')
    return [shortNames.get(String(value)) ?? clean(String(value))];
  const prefix = prefixes.get(path);
  if (prefix !== undefined) return [`${prefix}${clean(text(value))}`];
  return [`${clean(kebab(lastKey(path)))}-${clean(text(value))}`];
}

function labelPart(path: string, value: unknown): string {
  if (path === 'init') return initWord(value);
  if (isMapping(value)) {
    const { name, ...rest } = value;
    const details = Object.entries(rest).map(([key, inner]) => labelPart(`${path}.${key}`, inner));
    if (name === undefined) return details.join(', ');
    return `${labelPart(`${path}.name`, name)}${details.length > 0 ? ` (${details.join(', ')})` : ''}`;
  }
  if (path === 'normalizer' || path === 'normalizer.name') {
    return value === 'none'
      ? 'no normalizer'
      : (shortNames.get(String(value)) ?? String(value)).toUpperCase();
  }
  const told = labels.get(path)?.(text(value));
  return told ?? `${kebab(lastKey(path)).replaceAll('-', ' ')} ${text(value)}`;
}

const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
const lastKey = (path: string) => path.slice(path.lastIndexOf('.') + 1);
const kebab = (word: string) => word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const clean = (word: string) =>
  word
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-+|-+$/g, '');
