import { isMapping, type Point } from './grid.js';

const shortNames: Record<string, string> = { batch: 'bn', group: 'gn', layer: 'ln', instance: 'in' };

/** How a key path's value is told in a folder's name: `batch.size` 32 is `b32`. Others: last word, then the value. */
const prefixes: Record<string, string> = {
  'batch.size': 'b',
  'batch.workers': 'w',
  'normalizer.groups': 'g',
  'normalizer.channelsPerGroup': 'c',
  'model.name': '',
  'data.name': '',
  precision: '',
};

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
  if (isMapping(value)) {
    const { name, ...rest } = value;
    const own = name === undefined ? [] : [shortNames[String(name)] ?? clean(String(name))];
    return [...own, ...Object.entries(rest).flatMap(([key, inner]) => slugParts(`${path}.${key}`, inner))];
  }
  if (path === 'normalizer' || path === 'normalizer.name')
    return [shortNames[String(value)] ?? clean(String(value))];
  const prefix = prefixes[path];
  if (prefix !== undefined) return [`${prefix}${clean(text(value))}`];
  return [`${clean(kebab(lastKey(path)))}-${clean(text(value))}`];
}

function labelPart(path: string, value: unknown): string {
  if (isMapping(value)) {
    const { name, ...rest } = value;
    const own = name === undefined ? [] : [labelPart(`${path}.name`, name)];
    return [...own, ...Object.entries(rest).map(([key, inner]) => labelPart(`${path}.${key}`, inner))].join(
      ' ',
    );
  }
  if (path === 'normalizer' || path === 'normalizer.name') {
    return (shortNames[String(value)] ?? String(value)).toUpperCase().replace('NONE', 'no normalizer');
  }
  if (path === 'batch.size') return `batch ${text(value)}`;
  if (path === 'batch.workers') return `${text(value)} workers`;
  if (path === 'model.name' || path === 'data.name' || path === 'precision') return text(value);
  if (path === 'normalizer.channelsPerGroup') return `${text(value)} channels per group`;
  return `${kebab(lastKey(path)).replaceAll('-', ' ')} ${text(value)}`;
}

const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
const lastKey = (path: string) => path.slice(path.lastIndexOf('.') + 1);
const kebab = (word: string) => word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const clean = (word: string) =>
  word
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-+|-+$/g, '');
