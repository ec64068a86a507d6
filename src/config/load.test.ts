import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../errors.js';
import { decode, loadConfig, parseConfig } from './load.js';
import { placeOf, withPlaces } from './source-positions.js';

const base = 'model: { name: resnet20 }\nnormalizer: { name: group }\ndata: { name: cifar10 }\n';
const parse = (text: string) => parseConfig(text, { file: 'a.yaml' });

function failure(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof UserError, `${error}`);
    return error;
  }
  assert.fail('no error');
}

test('fills in the defaults', () => {
  const { optimizer, normalizer, batch, epochs, name } = parse(base);
  assert.deepEqual(normalizer, { name: 'group', groups: 8, epsilon: 1e-5, weightStandardization: false });
  assert.deepEqual(batch, { size: 32, workers: 1, microSteps: 'auto' });
  assert.deepEqual(optimizer, {
    momentum: 0.9,
    nesterov: true,
    weightDecay: 1e-4,
    decayNormalizer: true,
    decayBias: true,
    labelSmoothing: 0,
    emaDecay: 0,
  });
  assert.equal(epochs, 100);
  assert.equal(name, 'a');
});

test('knows short names, and takes a bare name for the mapping with that name', () => {
  const names = { bn: 'batch', gn: 'group', ln: 'layer', in: 'instance', none: 'none' };
  for (const [short, name] of Object.entries(names)) {
    assert.equal(parse(base.replace('group', short)).normalizer.name, name);
  }
  const bare = parse('model: resnet56\nnormalizer: gn\ndata: synthetic\n');
  const full = parse('model: {name: resnet56}\nnormalizer: {name: group}\ndata: {name: synthetic}\n');
  assert.deepEqual(bare, full);
});

test('a name comes from the file when the configuration has none, as far as a folder may have it', () => {
  assert.equal(parseConfig(base, { file: 'x/my sweep (2).yml' }).name, 'my-sweep-2-');
  assert.equal(parseConfig(base, { file: '../...yaml' }).name, 'run');
  assert.equal(parseConfig(`${base}name: other`, { file: 'x.yaml' }).name, 'other');
});

/** Text that follows three good lines, the place of the error after `a.yaml:`, and what it has to say. */
const wrong: [string, string, RegExp, RegExp?][] = [
  // keys
  ['epoch: 3', '4:1', /^unknown key "epoch"; did you mean epochs\?$/, /^valid keys: name, model, .*epochs/],
  ['batch: { sise: 2 }', '4:10', /^unknown key "sise" in batch; did you mean size\?$/, /size, workers/],
  ['weightDecay: 0', '4:1', /did you mean optimizer\.weightDecay\?/],
  ['"\\e[31m": 1', '4:1', /^unknown key "\\u\{1b\}\[31m"$/],
  ['__proto__: { size: 2 }', '4:1', /^unknown key "__proto__"/],
  ['batch: { __proto__: { size: 2 } }', '4:10', /^unknown key "__proto__" in batch/],
  ['constructor: 1', '4:1', /^unknown key "constructor"/],
  ['epochs: 1\nepochs: 2', '5:1', /^key "epochs" is there twice$/],
  ['batch: { size: 1, size: 1 }', '4:19', /^key "size" is there twice in batch$/],
  ['<<: { epochs: 3 }', '4:1', /^merge keys \(<<\) are not supported$/],
  ['? [a]\n: 1', '4:3', /^a key has to be a word$/],
  ['null: 1', '4:1', /^a key has to be a word$/],
  ['1: 1', '4:1', /^unknown key "1"$/],
  // values
  ['epochs: ten', '4:9', /^epochs has to be a whole number from 1 to 1000000, not the text "ten"$/],
  ['epochs: "10"', '4:9', /not the text "10"$/],
  ['epochs: 0', '4:9', /not 0$/],
  ['epochs: 1.5', '4:9', /not 1\.5$/],
  ['epochs: [1]', '4:9', /not a list$/],
  ['epochs: {}', '4:9', /not a mapping$/],
  ['epochs:', '4:1', /^epochs has to be .*, not empty$/],
  ['epochs: .nan', '4:9', /not NaN$/],
  ['seed: -1', '4:7', /from 0 to 4294967295, not -1$/],
  ['seed: 1e400', '4:7', /not infinity$/],
  ['learningRate: { base: .inf }', '4:23', /learningRate\.base has to be .*, not infinity$/],
  ['learningRate: { dropAt: 30 }', '4:25', /^learningRate\.dropAt has to be a list, each a number above 0/],
  ['learningRate: { dropAt: [30, x] }', '4:30', /^learningRate\.dropAt\[1\] has to be a number/],
  ['learningRate: { dropAt: [0.75, 0.5] }', '4:32', /^learningRate\.dropAt\[1\] comes no later/],
  ['learningRate: { warmupEpochs: 101 }', '4:31', /is longer than the 100 epochs/],
  ['steps: 10\nepochs: 3', '5:9', /^epochs stands beside steps: give one of them$/],
  ['steps: 10\nlearningRate: { warmupSteps: 11 }', '5:30', /is longer than the 10 steps/],
  ['learningRate: { warmupSteps: 5, warmupEpochs: 1 }', '4:30', /stands beside warmupEpochs/],
  ['learningRate: { warmupFrom: 0.3 }', '4:29', /has no effect without warmupSteps or warmupEpochs/],
  ['evaluate: { every: 2, everySteps: 10 }', '4:35', /stands beside evaluate\.every/],
  ['learningRate: { schedule: cosin }', '4:27', /one of step, cosine or constant.*did you mean cosine\?$/],
  ['optimizer: { nesterov: yes }', '4:24', /has to be true or false.*did you mean true\?$/],
  ['optimizer: { momentum: 1 }', '4:24', /at least 0 and below 1, not 1$/],
  ['optimizer: 3', '4:12', /^optimizer has to be a mapping with any of momentum, /],
  ['batch: { microSteps: 0 }', '4:22', /^batch\.microSteps has to be auto, or a whole number/],
  ['batch: { microSteps: aut }', '4:22', /did you mean auto\?$/],
  ['batch: { size: 6, microSteps: 4 }', '4:31', /does not divide the 6 images of a step/],
  ['name: ../../etc', '4:7', /^name has to be letters, digits/],
  ['epochs: !!python/object 3', '4:9', /^Unresolved tag/, /leave the tag out/],
  ['epochs: !mine 3', '4:9', /^Unresolved tag/],
  ['epochs: !!binary aGVsbG8=', '4:18', /^unknown tag !!binary$/],
  // aliases
  ['epochs: *none', '4:9', /alias \*none names no anchor above it/],
  ['batch: &b { size: *b }', '4:19', /alias \*b is part of itself/],
];

for (const [line, place, message, fix] of wrong) {
  test(`refuses ${JSON.stringify(line)}`, () => {
    const error = failure(() => parse(base + line));
    assert.equal(error.place, `a.yaml:${place}`);
    assert.match(error.message, message);
    if (fix) assert.match(error.fix ?? '', fix);
    assert.equal(error.exitCode, 2);
  });
}

/** Whole texts. */
const broken: [string, string, RegExp, RegExp?][] = [
  ['', '1:1', /^is empty$/],
  ['# nothing\n\n', '1:1', /^is empty$/],
  ['- 1', '1:1', /^a configuration has to be a mapping.*not a list$/],
  ['model', '1:1', /not the text "model"$/],
  ['null', '1:1', /not empty$/],
  ['model: [', '1:9', /Flow sequence/],
  [`${base}---\nepochs: 1`, '4:1', /^holds a second document$/],
  [`%YAML 1.1\n---\n${base}`, '1:1', /^YAML 1\.2 is expected$/],
  [base.replace('group', 'grop'), '2:21', /one of batch, bn, .*did you mean group\?$/],
  [
    base.replace('group', 'batch, groups: 8'),
    '2:28',
    /^unknown key "groups" in normalizer of "batch"$/,
    /momentum/,
  ],
  [base.replace('group', 'group, groups: 8, channelsPerGroup: 2'), '2:57', /give one of them$/],
  [base.replace('name: group', 'epsilon: 1'), '2:1', /^normalizer\.name is missing$/, /one of batch, bn/],
  [
    base.replace('name: group', 'names: group'),
    '2:15',
    /^unknown key "names" in normalizer; did you mean name\?$/,
  ],
  [
    base.replace('name: group', 'name: { wrong: 1 }'),
    '2:21',
    /^normalizer\.name has to be one of .*not a mapping$/,
  ],
  [base.replace('cifar10', 'cifar'), '3:15', /did you mean cifar10\?$/],
  [base.replace('cifar10', 'cifar10, validation: { fromtrain: 2 }'), '3:38', /did you mean fromTrain\?$/],
  [
    base.replace('cifar10', 'cifar10, validation: tst'),
    '3:36',
    /^data\.validation has to be test, or a mapping/,
  ],
  [base.replace('normalizer', 'normaliser'), '2:1', /did you mean normalizer\?$/],
  [base.replace('model', 'models'), '1:1', /did you mean model\?$/],
  [base.replace(/^model.*\n/, ''), '1:1', /^model is missing$/, /resnet20/],
];

for (const [text, place, message, fix] of broken) {
  test(`refuses ${JSON.stringify(text)}`, () => {
    const error = failure(() => parse(text));
    assert.equal(error.place, `a.yaml:${place}`);
    assert.match(error.message, message);
    if (fix) assert.match(error.fix ?? '', fix);
  });
}

test('an alias stands for a whole value, and an error in it is where the value was written', () => {
  const text = `${base}evaluate: { every: &two 2 }\ncheckpoint: { keep: *two }\n`;
  assert.equal(parse(text).checkpoint.keep, 2);
  assert.equal(failure(() => parse(`${base}log: &a { every: 1 }\nbatch: *a\n`)).place, 'a.yaml:4:11');
});

test('aliases that multiply are stopped', () => {
  const levels = Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(9)}]`);
  const error = failure(() => parse(`a0: &a0 1\n${levels.join('\n')}\n`));
  assert.match(error.message, /holds more than 5000 values, aliases expanded/);
  assert.match(error.place ?? '', /^a\.yaml:\d+:\d+$/);
});

test('depth and length are bounded, whatever the text repeats', () => {
  const size = 1 << 20;
  const parts = [
    '[',
    '{a: ',
    '- ',
    '- - ',
    '? ',
    'a: ',
    '}',
    ',',
    '&a ',
    '*a ',
    '!a ',
    '%a\n',
    '---\n',
    'a:\n',
    '|+\n\n',
  ];
  for (const part of parts) {
    for (const start of ['', 'model: ', 'model: [', 'model: "']) {
      const text = (start + part.repeat(size / part.length)).slice(0, size);
      const began = performance.now();
      const error = failure(() => parse(text));
      assert.match(error.place ?? '', /^a\.yaml:\d+:\d+$/, JSON.stringify([start, part]));
      // A second each where the machine is idle; tests run beside others.
      assert.ok(performance.now() - began < 5_000, JSON.stringify([start, part]));
    }
  }
  assert.match(failure(() => parse(' '.repeat(size + 1))).message, /over 1 MiB/);
});

test('a byte order mark and Windows line ends change nothing', () => {
  assert.deepEqual(parse(`\ufeff${base}`), parse(base));
  assert.deepEqual(parse(base.replaceAll('\n', '\r\n')), parse(base));
});

test('bytes that are no UTF-8 are found at their place', () => {
  const bytes = Buffer.concat([Buffer.from('a: ä\nb: "€'), Buffer.from([0xff]), Buffer.from('"\n')]);
  assert.equal(failure(() => decode(bytes, 'a.yaml')).place, 'a.yaml:2:6');
  assert.equal(failure(() => decode(Buffer.from([0x61, 0xe2, 0x82]), 'a.yaml')).place, 'a.yaml:1:2');
  assert.equal(decode(Buffer.from('é'), 'a.yaml'), 'é');
});

test('files that cannot be read say why', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gnbench-config-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'resnet.yaml');
  await writeFile(file, base);
  assert.equal((await loadConfig(file, ['epochs=3'])).epochs, 3);
  const failing = async (path: string) => {
    const error = await loadConfig(path).then(
      () => assert.fail('no error'),
      (error) => error,
    );
    assert.ok(error instanceof UserError, `${error}`);
    return error;
  };
  const missing = await failing(join(folder, 'resnt.yaml'));
  assert.equal(missing.message, `no such file; did you mean ${file}?`);
  assert.match((await failing(join(folder, 'resnet'))).message, /did you mean .*resnet\.yaml\?$/);
  assert.match((await failing(folder)).message, /is a folder/);
  assert.match((await failing('/dev/zero')).message, /not a regular file/);
  assert.match((await failing(join(file, 'x'))).message, /ENOTDIR/);
  await symlink('loop', join(folder, 'loop'));
  assert.match((await failing(join(folder, 'loop'))).message, /ELOOP/);
  await truncate(file, (1 << 20) + 1);
  assert.match((await failing(file)).message, /over 1 MiB/);
  await truncate(file, 0);
  assert.equal((await failing(file)).place, `${file}:1:1`);
});

test('a place stays with a configuration, for what is found wrong later', async () => {
  const config = parseConfig(`${base}batch: { size: 4 }`, { file: 'a.yaml', overrides: ['epochs=2'] });
  assert.equal(placeOf(config, 'batch.size'), 'a.yaml:4:16');
  assert.equal(placeOf(config, 'batch.workers'), 'a.yaml:4:1');
  assert.equal(placeOf(config, 'seed'), 'a.yaml:1:1');
  assert.equal(placeOf(config, 'epochs'), '--set epochs');
  assert.equal(placeOf({ ...config }, 'epochs'), 'epochs');
  const late = (place: string) => () => {
    throw new UserError('wrong', { place, fix: 'mend it' });
  };
  await assert.rejects(withPlaces(config, late('batch.size')), {
    message: 'batch.size: wrong',
    place: 'a.yaml:4:16',
    fix: 'mend it',
  });
  await assert.rejects(withPlaces(config, late('/some/file')), { message: 'wrong', place: '/some/file' });
  assert.equal(await withPlaces(config, () => 3), 3);
});

test('synchronized statistics take a step whole', () => {
  const text =
    'model: resnet20\nnormalizer: sync-batch\ndata: cifar10\nbatch: { workers: 2, microSteps: 2 }\n';
  assert.throws(() => parseConfig(text, { file: 'a.yaml' }), /microSteps.*must be 1/);
  assert.equal(
    parseConfig(text.replace('microSteps: 2', 'microSteps: 1'), { file: 'a.yaml' }).batch.workers,
    2,
  );
});
