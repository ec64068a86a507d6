/** Properties over configurations of any content. `GNBENCH_FUZZ=100000 npm test -- config/fuzz` tries more of them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { UserError } from '../errors.js';
import { configId } from './identity.js';
import { decode, parseConfig } from './load.js';
import { printConfig } from './print.js';
import type { Config } from './schema.js';
import { readYaml } from './yaml.js';

const runs = Number(process.env.GNBENCH_FUZZ ?? 400);
const file = 'a.yaml';
const parse = (text: string, overrides: string[] = []) => parseConfig(text, { file, overrides });

/** A configuration, or an error of the kind that a user can mend. Anything else fails the test. */
function attempt(work: () => Config): Config | UserError {
  const began = process.cpuUsage();
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error;
  } finally {
    const { user, system } = process.cpuUsage(began);
    assert.ok(user + system < 1_000_000, 'took over a second');
  }
}

function assertSound(result: Config | UserError): void {
  if (!(result instanceof UserError)) {
    assert.deepEqual(parse(printConfig(result)), result);
    return;
  }
  assert.match(result.place ?? '', /^a\.yaml:[1-9]\d*:[1-9]\d*$|^--set/);
  assert.equal(result.exitCode, 2);
  assert.ok(result.message.length > 0 && result.message.length < 500, result.message);
  assert.doesNotMatch(`${result.place}${result.message}${result.fix}`, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
}

const shipped = readdirSync('configs')
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(`configs/${name}`, 'utf8'));

const piece = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ': ',
    '- ',
    '? ',
    ', ',
    '\n',
    '\n  ',
    '\n    ',
    ' ',
    '\t',
    '\r\n',
    '"',
    "'",
    '#',
    ' #',
  ],
  ...[
    '&a ',
    '*a',
    '!!str ',
    '!x ',
    '!',
    '|\n',
    '>-\n',
    '%YAML 1.1\n',
    '---\n',
    '...',
    '<<',
    '@',
    '`',
    '\\',
    '\\x',
    '=',
    '~',
  ],
  ...[
    'model',
    'normalizer',
    'data',
    'name',
    'group',
    'groups',
    'resnet20',
    'cifar10',
    'batch',
    'size',
    'epochs',
    'dropAt',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'null',
    'true',
    '.nan',
    '-.inf',
    '-0',
    '1e400',
    '0x10',
    '1_000',
    '2001-01-01',
  ],
  ...['\u0000', '\u0085', '\u2028', '\ufeff', '\ud800', '\u202e', '😀', 'é'],
);
const anyText = fc
  .array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 60 })
  .map((parts) => parts.join(''));

/** A shipped configuration with a few stretches of it replaced. */
const damaged = fc
  .tuple(
    fc.constantFrom(...shipped),
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(12), anyText), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([text, cuts]) =>
    cuts.reduce((whole, [at, length, insert]) => {
      const start = Math.floor(at * whole.length);
      return whole.slice(0, start) + insert.slice(0, 12) + whole.slice(start + length);
    }, text),
  );

test(`${runs} × any bytes are a configuration, or an error with a place, in under a second`, () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    anyText.map((text) => Buffer.from(text)),
    damaged.map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, (bytes) => assertSound(attempt(() => parse(decode(bytes, file))))),
    { numRuns: runs },
  );
});

test(`${runs} × any overrides likewise`, () => {
  const key = fc.constantFrom(
    'model',
    'name',
    'normalizer',
    'groups',
    'data',
    'validation',
    'fromTrain',
    'batch',
    'size',
    'epochs',
    'learningRate',
    'dropAt',
    '0',
    '1',
    '__proto__',
    'x',
  );
  const path = fc.oneof(
    fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => keys.join('.')),
    anyText,
  );
  const value = fc.oneof(
    fc.json({ maxDepth: 2 }),
    fc.constantFrom('bn', 'group', 'synthetic', '2', 'test', '{name: bn}', '[1, 2]'),
    anyText,
  );
  const override = fc.oneof(
    fc.tuple(path, value).map(([path, value]) => `${path}=${value}`),
    anyText,
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...shipped),
      fc.array(override, { minLength: 1, maxLength: 4 }),
      (text, overrides) => {
        assertSound(attempt(() => parse(text, overrides)));
        assert.deepEqual(Object.keys(Object.prototype), []);
      },
    ),
    { numRuns: runs },
  );
});

const whole = (min: number, max: number) => fc.integer({ min, max });
const real = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((x) => Math.max(min, x));
const some = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { requiredKeys: [] });
const withName = (names: string[], rest: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ name: fc.constantFrom(...names), ...rest }, { requiredKeys: ['name'] });

type Plain = Record<string, unknown>;

/** Anything that a user may write, as plain data. */
const written: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/),
    model: withName(['resnet20', 'resnet110'], { shortcut: fc.constantFrom('identity', 'projection') }),
    normalizer: fc.oneof(
      withName(['bn', 'batch'], { epsilon: real(1e-9, 1), momentum: real(0, 0.99) }),
      withName(['gn', 'group'], { groups: whole(1, 64), epsilon: real(1e-9, 1) }),
      withName(['gn', 'group'], { channelsPerGroup: whole(1, 64) }),
      withName(['ln', 'layer', 'in', 'instance'], { epsilon: real(1e-9, 1) }),
      withName(['none']),
    ),
    data: withName(['cifar10', 'synthetic'], {
      trainSubset: whole(1, 1e6),
      valSubset: whole(1, 1e6),
      validation: fc.oneof(fc.constant('test'), fc.record({ fromTrain: whole(1, 1e6) })),
      augment: fc.boolean(),
    }),
    batch: some({ size: whole(1, 65_536), workers: whole(1, 4_096), microSteps: fc.constantFrom('auto', 1) }),
    learningRate: some({
      base: real(1e-12, 1_000),
      per: real(1e-3, 1e6),
      dropAt: fc.uniqueArray(real(1e-6, 0.999), { maxLength: 4 }).map((at) => at.sort((a, b) => a - b)),
      factor: real(1e-6, 1),
      warmupEpochs: real(0, 1),
      schedule: fc.constantFrom('step', 'cosine', 'constant'),
    }).map(withoutIdleDrops),
    optimizer: some({
      momentum: real(0, 0.99),
      nesterov: fc.boolean(),
      weightDecay: real(0, 1),
      decayNormalizer: fc.boolean(),
      decayBias: fc.boolean(),
    }),
    epochs: whole(1, 1e6),
    seed: whole(0, 2 ** 31 - 1),
    precision: fc.constantFrom('float32', 'bfloat16'),
    evaluate: some({
      every: whole(1, 1e6),
      batchSize: whole(1, 65_536),
      statistics: fc.constantFrom('running', 'precise'),
      preciseImages: whole(1, 1e8),
    }),
    checkpoint: some({ everySteps: whole(1, 1e9), everyMinutes: real(1e-3, 1e6), keep: whole(1, 1_000) }),
    engine: some({
      variant: fc.constantFrom('auto', 'cpu', 'cuda'),
      intraOpThreads: whole(1, 64),
      interOpThreads: whole(1, 64),
      convolutions: fc.constantFrom('direct', 'winograd'),
    }),
    log: some({ everySteps: whole(0, 1e9) }),
  },
  { requiredKeys: ['model', 'normalizer', 'data'] },
);

/** Drops are refused beside a schedule that has none. */
function withoutIdleDrops<Rate extends { schedule?: string }>(rate: Rate): Partial<Rate> {
  if ((rate.schedule ?? 'step') === 'step') return rate;
  const { dropAt: _, factor: __, ...rest } = rate as Rate & { dropAt?: unknown; factor?: unknown };
  return rest as Partial<Rate>;
}

/** Keys whose values have names of the user's in them, or come to nothing. */
const transfer = some({
  init: fc.oneof(
    fc.constant('scratch'),
    fc.record(
      { weights: fc.string({ minLength: 1, maxLength: 20 }), head: fc.constantFrom('keep', 'new') },
      { requiredKeys: ['weights'] },
    ),
  ),
  classes: fc.array(fc.oneof(whole(0, 9), fc.string({ minLength: 1, maxLength: 9 })), { minLength: 2 }),
  frozen: fc.array(fc.constantFrom('stem', 'stage1', 'stage1.block0', 'head')),
  rates: some({ stem: real(1e-6, 1e6), 'stage1.block0': real(1e-6, 1e6) }),
}).map(({ init, classes, frozen, rates }) => ({
  ...(init && { init }),
  data: classes && { classes },
  optimizer: { ...(frozen && { frozen }), ...(rates && { rates }) },
}));

test(`${runs} × what is printed reads as the same configuration with the same id`, () => {
  fc.assert(
    fc.property(written, transfer, (fields, { data, optimizer, ...init }) => {
      const plain: Plain = { ...fields, ...init };
      if (data) plain.data = { ...(fields.data as Plain), ...data };
      plain.optimizer = { ...(fields.optimizer as Plain), ...optimizer };
      const config = parse(stringify(plain));
      const again = parse(printConfig(config));
      assert.deepEqual(again, config);
      assert.equal(configId(again), configId(config));
      assert.equal(printConfig(again), printConfig(config));
    }),
    { numRuns: runs },
  );
});

const isMapping = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The paths of all keys that were written. */
function keysIn(plain: Plain, around: string[] = []): string[][] {
  return Object.entries(plain).flatMap(([key, value]) => {
    const path = [...around, key];
    return isMapping(value) ? [path, ...keysIn(value, path)] : [path];
  });
}

/** The data with the entry at a path replaced by other entries. */
function edit(
  plain: Plain,
  [key, ...rest]: string[],
  change: (value: unknown) => [string, unknown][],
): Plain {
  const entries = Object.entries(plain).flatMap(([name, value]): [string, unknown][] => {
    if (name !== key) return [[name, value]];
    return rest.length === 0 ? change(value) : [[name, edit(value as Plain, rest, change)]];
  });
  return Object.fromEntries(entries);
}

const withKey = written.chain((plain) => fc.tuple(fc.constant(plain), fc.constantFrom(...keysIn(plain))));
const required = /^(model|normalizer|data)(\.name)?$|^data\.validation\.fromTrain$/;
const placeOfKey = (text: string, path: string[]) => readYaml(text, { file }).keyAt(path);

test(`${runs} × a renamed key is named, at its place`, () => {
  fc.assert(
    fc.property(withKey, fc.constantFrom('x', '_', 'S'), ([plain, path], suffix) => {
      const renamed = `${path.at(-1)}${suffix}`;
      const text = stringify(edit(plain, path, (value) => [[renamed, value]]));
      const result = attempt(() => parse(text));
      assert.ok(result instanceof UserError, text);
      assert.match(result.message, new RegExp(`^unknown key "${renamed}"`));
      assert.equal(result.place, placeOfKey(text, [...path.slice(0, -1), renamed]));
    }),
    { numRuns: runs },
  );
});

test(`${runs} × a deleted key is named if it is needed, and has its default if not`, () => {
  fc.assert(
    fc.property(withKey, ([plain, path]) => {
      const text = stringify(edit(plain, path, () => []));
      const result = attempt(() => parse(text));
      if (!required.test(path.join('.'))) return assert.ok(!(result instanceof UserError), `${result}`);
      assert.ok(result instanceof UserError, text);
      assert.equal(result.message, `${path.join('.')} is missing`);
    }),
    { numRuns: runs },
  );
});

test(`${runs} × a key with a value of another type is named, at its value`, () => {
  const other = fc.constantFrom<unknown>([[]], { wrong: 1 }, null, 'no such word', true, -1, 0.123456789);
  fc.assert(
    fc.property(withKey, other, ([plain, path], value) => {
      const text = stringify(edit(plain, path, () => [[path.at(-1)!, value]]));
      const result = attempt(() => parse(text));
      if (!(result instanceof UserError)) {
        // The type may be the right one after all.
        assert.ok(typeof value === 'boolean' || typeof value === 'number', text);
        return;
      }
      const [place, key] = [path.join('.'), path.at(-1)!];
      const named = result.message.startsWith(place) || result.message === `unknown key "wrong" in ${place}`;
      assert.ok(named || (key === 'name' && isMapping(value)), `${text}\n${result.message}`);
      assert.match(result.place ?? '', /^a\.yaml:\d+:\d+$/);
    }),
    { numRuns: runs },
  );
});
