/** Names of cells and of their values, as a sweep, a table's row, a figure's legend or a sentence gives them. */

import { parse } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Heads, PaperKey } from '../paper/published.js';
import { byText } from '../terminal/words.js';
import { isMapping, type Point, valueText } from './grid.js';
import { differingPaths, normalizerKey, type Setting } from './setting.js';

const shortNames: Record<string, string> = {
  batch: 'BN',
  layer: 'LN',
  instance: 'IN',
  group: 'GN',
  none: 'no norm',
  'weight-norm': 'WN',
  'batch-renorm': 'BRN',
  'sync-batch': 'sync BN',
  'frozen-batch': 'frozen BN',
  'filter-response': 'FRN',
};

/** The source of a cell's name: its setting, and the config for values that the setting leaves out as defaults. */
interface Named {
  setting: Setting;
  config: Config;
}

/** `GN`, `BN`, …: the paper's name of a normalizer. */
function normalizerName(normalizer: string): string {
  return Object.hasOwn(shortNames, normalizer) ? shortNames[normalizer] : normalizer;
}

/** `GN`; where `detailed`, `GN, 4 groups` or `GN, 2 channels a group`. */
export function normalizerLabel(
  { normalizer, groups, channelsPerGroup, heads }: PaperKey,
  detailed: boolean,
): string {
  const name = normalizerName(normalizer) + (heads ? headsInWords(normalizer, heads) : '');
  if (!detailed) return name;
  if (channelsPerGroup !== undefined) return `${name}, ${count(channelsPerGroup, 'channel')} a group`;
  return groups === undefined ? name : `${name}, ${count(groups, 'group')}`;
}

const headNames = { neck: 'neck', boxHead: 'box head', maskHead: 'mask head' } as const;

/** Says what the heads of a detector have whose backbone has another normalizer than the rest: frozen BN never is in the rest. */
function headsInWords(backbone: string, heads: Heads): string {
  const entries = Object.entries(heads) as [keyof typeof headNames, string][];
  if (entries.length === 0) return backbone === 'frozen-batch' ? '' : ' in the backbone';
  const [[, first]] = entries;
  const places = entries.filter(([, name]) => name === first).map(([part]) => headNames[part]);
  if (first === backbone) return ` in backbone and ${places.join(' and ')}`;
  return `, ${normalizerName(first)} in the ${places.join(' and ')}`;
}

/** `1 group`, `8 groups`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** True when GN occurs with several numbers of groups, so that its label has to give them. */
export function hasSeveralGroupings(cells: readonly Named[]): boolean {
  const groupings = cells.filter(({ setting }) => setting.normalizer === 'group');
  return new Set(groupings.map(({ setting }) => normalizerKey(setting))).size > 1;
}

/** The key paths, other than normalizer and batch size, in which any of the cells differ. */
export function varyingPaths(cells: readonly Named[]): string[] {
  const paths = cells.flatMap(({ setting }) => differingPaths(setting, cells[0].setting));
  return [...new Set(paths)].sort(byText);
}

/** `precise statistics`, `bfloat16`, `8 workers`, `epochs 30`: a cell's value of a key, as words. */
export function valueInWords({ config }: Named, path: string): string {
  if (path === 'task.sha256') return config.task ? parse(config.task.module).name : 'classification';
  return inWords(path, valueAt(config, path));
}

/** The value at a path of keys; a key may hold dots itself, as the parts of a network do. */
function valueAt(inner: unknown, path: string): unknown {
  if (!isMapping(inner)) return undefined;
  if (Object.hasOwn(inner, path)) return inner[path];
  const key = Object.keys(inner).find((each) => path.startsWith(`${each}.`));
  return key === undefined ? undefined : valueAt(inner[key], path.slice(key.length + 1));
}

function inWords(path: string, value: unknown): string {
  const words = valueText(value);
  const list = (joint: string) => (Array.isArray(value) ? value.map(valueText).join(joint) : undefined);
  const part = /^optimizer\.rates\.(.+)$/.exec(path)?.[1];
  if (part !== undefined) return `rate of ${part} ×${valueText(value ?? 1)}`;
  switch (path) {
    case 'model.name':
    case 'data.name':
    case 'precision':
      return words;
    case 'optimizer.frozen':
      return `${list(' and ') ?? 'nothing'} frozen`;
    case 'data.classes':
      return `${list('/') ?? 'all'} classes`;
    case 'init':
      return value === undefined || value === 'scratch' ? 'from scratch' : 'pre-trained';
    case 'evaluate.statistics':
      return `${words} statistics`;
    case 'batch.size':
      return `batch ${words}`;
    case 'batch.workers':
      return count(Number(words), 'worker');
    case 'data.views.clips':
      return value === undefined
        ? 'no clips of a video'
        : `${count(Number(words), 'clip')} a video in the last evaluation`;
    case 'data.views.crops':
      return value === undefined ? 'no crops of a clip' : `${count(Number(words), 'crop')} a clip in it`;
    case 'normalizer.groups':
      return count(Number(words), 'group');
    case 'normalizer.channelsPerGroup':
      return `${count(Number(words), 'channel')} a group`;
  }
  const strided = /^model\.timeStrides\.(.+)$/.exec(path)?.[1];
  if (strided !== undefined) return `stride over time ${valueText(value ?? 2)} in ${strided}`;
  const key = /^model\.(?:anchors|proposals|regions|pooling|detections)\./.test(path)
    ? path.slice(path.indexOf('.') + 1).replaceAll('.', ' ')
    : path.slice(path.lastIndexOf('.') + 1);
  return value === undefined ? `no ${key}` : `${key} ${words}`;
}

/** A name for a point of a grid that is not a cell and has no configuration: `BN, batch 2`, `64 groups`. */
export function pointLabel(point: Point): string {
  const words = ([path, value]: [string, unknown]): string[] => {
    if (path === 'normalizer' || path === 'normalizer.name') {
      if (!isMapping(value)) return [normalizerName(valueText(value))];
      const { name, ...rest } = value;
      const own = name === undefined ? [] : [normalizerName(valueText(name))];
      return [...own, ...Object.entries(rest).map(([key, inner]) => inWords(`normalizer.${key}`, inner))];
    }
    return [inWords(path, value)];
  };
  const isNormalizer = ([path]: [string, unknown]) => path.split('.')[0] === 'normalizer';
  const entries = Object.entries(point);
  return [...entries.filter(isNormalizer), ...entries.filter((entry) => !isNormalizer(entry))]
    .flatMap(words)
    .join(', ');
}

/** A name for each of `cells`, saying normalizer, batch size and whatever else differs among them and `context`. */
export function cellLabels(cells: readonly Named[], context: readonly Named[] = []): string[] {
  const all = [...cells, ...context];
  const detailed = hasSeveralGroupings(all);
  const paths = varyingPaths(all);
  return cells.map((cell) => {
    const { setting } = cell;
    const parts = [`batch ${setting.batchSize}`, ...paths.map((path) => valueInWords(cell, path))];
    return `${normalizerLabel(setting, detailed && setting.normalizer === 'group')}, ${parts.join(', ')}`;
  });
}
