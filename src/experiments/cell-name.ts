import { parse } from 'node:path';
import { isMapping, type Point, valueText } from './grid.js';

// Maps, because a user may call something valueOf.
const shortNames = new Map(Object.entries({ batch: 'bn', group: 'gn', layer: 'ln', instance: 'in' }));

/** The letter for a key path's value in a folder's name: `batch.size` 32 is `b32`. Other paths give their last word. */
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

/** `init` with weights is a mapping, told by a word of its own. */
const initWord = (init: unknown) => (init === 'scratch' ? 'scratch' : 'pretrained');

/** A folder name a person can read, from letters, digits, `.` and `-`: `bn-b32`, `gn-g8-b2`. The normalizer comes first. */
export function cellSlug(point: Point): string {
  const parts = byNormalizer(point).flatMap(([path, value]) => slugParts(path, value));
  const slug = parts.join('-').replace(/^[-.]+/, '');
  return slug === '' ? 'cell' : slug.slice(0, 80);
}

function byNormalizer(point: Point): [string, unknown][] {
  const rank = (path: string) => (path.split('.')[0] === 'normalizer' ? 0 : 1);
  return Object.entries(point).sort(([a], [b]) => rank(a) - rank(b));
}

function slugParts(path: string, value: unknown): string[] {
  if (path === 'init') return [initWord(value)];
  // A module goes by its name, wherever it lies.
  if (path === 'task' && isMapping(value)) return [clean(parse(valueText(value.module)).name)];
  if (path === 'task.module') return [clean(parse(valueText(value)).name)];
  if (isMapping(value)) {
    const { name, ...rest } = value;
    const own = name === undefined ? [] : [shortNames.get(valueText(name)) ?? clean(valueText(name))];
    return [...own, ...Object.entries(rest).flatMap(([key, inner]) => slugParts(`${path}.${key}`, inner))];
  }
  if (path === 'normalizer' || path === 'normalizer.name')
    return [shortNames.get(valueText(value)) ?? clean(valueText(value))];
  const prefix = prefixes.get(path);
  if (prefix !== undefined) return [`${prefix}${clean(valueText(value))}`];
  return [`${clean(kebab(lastKey(path)))}-${clean(valueText(value))}`];
}

const lastKey = (path: string) => path.slice(path.lastIndexOf('.') + 1);
const kebab = (word: string) => word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const clean = (word: string) =>
  word
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-+|-+$/g, '');
