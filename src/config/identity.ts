/**
 * The identity of an experiment: two runs with the same one have the same result. It holds what affects the result and
 * is not at its default, so that a key added later (with a default that keeps the old meaning) changes no id; a test
 * pins some.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Config, configSchema } from './schema.js';

type Plain = Record<string, unknown>;

/** Keys without effect on the result: names, places, threads, what is saved and logged, how a step is cut up. */
const ineffective = [
  'name',
  'engine',
  'checkpoint',
  'log',
  'batch.microSteps',
  'evaluate.batchSize',
  'data.decodedCache',
  'data.expect',
  // Its content counts, not its place.
  'task.module',
];

/** The keys that affect a run's result and are not at their defaults, in any order. */
export function configIdentity(config: Config): Plain {
  const { model, normalizer, data, init } = config;
  const { parts } = normalizer;
  const namesOf = (each: object) =>
    Object.fromEntries(Object.entries(each).map(([part, { name }]) => [part, name]));
  // Some normalizers are only for networks that begin with weights; which weights is no default.
  const { init: _, ...defaults }: Plain = configSchema.parse({
    model: model.name,
    ...(init && { init: { weights: 'any' } }),
    normalizer: { name: normalizer.name, ...(parts && { parts: namesOf(parts) }) },
    data: data.name,
  });
  if (config.task) defaults.task = { options: {} };
  const statistics = config.evaluate.statistics === 'precise' ? [] : ['evaluate.preciseImages'];
  return differences(config, defaults, new Set([...ineffective, ...statistics]));
}

/** Names of variants; and whether γ and β of frozen BN are fixed, as they were trained before there was the key. */
const alwaysCount = ['name', 'affine'];

/** The part of `value` that differs from `defaults`, and what always counts. */
function differences(value: Plain, defaults: Plain, left: Set<string>, prefix = ''): Plain {
  const kept: Plain = {};
  for (const [key, inner] of Object.entries(value)) {
    const path = `${prefix}${key}`;
    if (inner === undefined || left.has(path)) continue;
    if (isMapping(inner) && isMapping(defaults[key])) {
      const rest = differences(inner, defaults[key], left, `${path}.`);
      if (Object.keys(rest).length > 0) kept[key] = rest;
    } else if (alwaysCount.includes(key) || !isDeepStrictEqual(inner, defaults[key])) {
      kept[key] = inner;
    }
  }
  return kept;
}

const isMapping = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The first ten hex digits of the sha256 of the identity as JSON with sorted keys. */
export function configId(config: Config): string {
  return hash(configIdentity(config));
}

/** The same without the seed: what a table's cell goes by. */
export function cellId(config: Config): string {
  const { seed: _, ...identity } = configIdentity(config);
  return hash(identity);
}

const hash = (identity: Plain) =>
  createHash('sha256').update(canonicalJson(identity)).digest('hex').slice(0, 10);

/** JSON with the keys of every mapping sorted by their code units. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    isMapping(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
