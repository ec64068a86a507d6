import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAugmented } from '../datasets/schema.js';
import { parseConfig } from './load.js';

const text = [
  'model: { name: resnet20, shortcut: projection }',
  'normalizer: { name: group, groups: 4, epsilon: 1e-3, weightStandardization: false }',
  'data: { name: cifar10, trainSubset: 500 }',
  'learningRate: { dropAt: [0.5, 0.75] }',
].join('\n');
const set = (...overrides: string[]) => parseConfig(text, { file: 'a.yaml', overrides });

test('a value is YAML: a number, a word, a list, a mapping', () => {
  assert.equal(set('optimizer.weightDecay=5e-4').optimizer.weightDecay, 5e-4);
  assert.equal(set('optimizer.nesterov=false').optimizer.nesterov, false);
  assert.deepEqual(set('learningRate.dropAt=[30, 60]').learningRate.dropAt, [30, 60]);
  assert.equal(set('learningRate.dropAt.1=0.9').learningRate.dropAt[1], 0.9);
  assert.deepEqual(set('data.validation={fromTrain: 50}').data.validation, { fromTrain: 50 });
  assert.deepEqual(set('data.validation.fromTrain=50').data.validation, { fromTrain: 50 });
  assert.equal(set('name=a=b', 'name=c').name, 'c');
});

test('the last one counts', () => {
  assert.equal(set('epochs=2', 'epochs=3').epochs, 3);
  assert.equal(set('batch.size=2', 'batch={workers: 2}').batch.size, 32);
});

test('a mapping replaces the whole of what was there', () => {
  assert.deepEqual(set('normalizer={name: group}').normalizer, {
    name: 'group',
    groups: 8,
    epsilon: 1e-5,
    weightStandardization: false,
  });
  assert.deepEqual(set('normalizer={"name":"batch"}').normalizer, {
    name: 'batch',
    epsilon: 1e-5,
    momentum: 0.9,
    weightStandardization: false,
  });
});

test('a new name drops the keys that only the old one had, and keeps the others', () => {
  assert.deepEqual(set('normalizer.name=batch').normalizer, {
    name: 'batch',
    epsilon: 1e-3,
    momentum: 0.9,
    weightStandardization: false,
  });
  assert.deepEqual(set('normalizer.name=none').normalizer, {
    name: 'none',
    zeroBranches: false,
    weightStandardization: false,
  });
  assert.deepEqual(set('normalizer.name=gn').normalizer, {
    name: 'group',
    groups: 4,
    epsilon: 1e-3,
    weightStandardization: false,
  });
  assert.deepEqual(set('model.name=resnet56').model, { name: 'resnet56', shortcut: 'projection' });
  assert.equal(set('data.name=synthetic').data.trainSubset, 500);
});

test('a bare name is a new name', () => {
  assert.deepEqual(set('normalizer=bn').normalizer, set('normalizer.name=batch').normalizer);
  assert.deepEqual(set('model=resnet56').model, { name: 'resnet56', shortcut: 'projection' });
  const bare = parseConfig('model: resnet20\nnormalizer: gn\ndata: cifar10', {
    file: 'a.yaml',
    overrides: ['normalizer.groups=4', 'model=resnet32', 'data.augment=false'],
  });
  assert.deepEqual(bare.normalizer, {
    name: 'group',
    groups: 4,
    epsilon: 1e-5,
    weightStandardization: false,
  });
  assert.equal(bare.model.name, 'resnet32');
  assert.equal(isAugmented(bare.data), false);
});

test('groups and channels per group replace each other', () => {
  const { normalizer } = set('normalizer.channelsPerGroup=2');
  assert.deepEqual(normalizer, {
    name: 'group',
    channelsPerGroup: 2,
    epsilon: 1e-3,
    weightStandardization: false,
  });
});

test('a length in steps replaces one in epochs, and the other way round', () => {
  const inSteps = set('steps=100');
  assert.deepEqual([inSteps.steps, inSteps.epochs], [100, undefined]);
  const text = 'model: resnet20\nnormalizer: gn\ndata: cifar10\nsteps: 100\n';
  const inEpochs = parseConfig(text, { file: 'a.yaml', overrides: ['epochs=3'] });
  assert.deepEqual([inEpochs.steps, inEpochs.epochs], [undefined, 3]);
});

test('a part can be given before its name', () => {
  const overrides = ['normalizer.groups=2', 'normalizer.name=group'];
  const config = parseConfig('model: resnet20\ndata: cifar10', { file: 'a.yaml', overrides });
  assert.deepEqual(config.normalizer, {
    name: 'group',
    groups: 2,
    epsilon: 1e-5,
    weightStandardization: false,
  });
});

const wrong: [string[], string, RegExp][] = [
  [['bath.size=2'], '--set bath.size', /^unknown key "bath"; did you mean batch\?$/],
  [['batch.sise=2'], '--set batch.sise', /^unknown key "sise" in batch; did you mean size\?$/],
  [['batch.size=two'], '--set batch.size', /^batch\.size has to be a whole number/],
  [['seed.x=1'], '--set seed.x', /^seed has to be a whole number.*not a mapping$/],
  [['normalizer.groups=2', 'normalizer.name=bn'], '--set normalizer.groups', /unknown key "groups"/],
  [['normalizer.name=grup'], '--set normalizer.name', /did you mean group\?$/],
  [
    ['normalizer.groups=2', 'normalizer.channelsPerGroup=2'],
    '--set normalizer.channelsPerGroup',
    /one of them/,
  ],
  [['epochs'], '--set epochs', /^an override is path=value$/],
  [['=3'], '--set', /is not a key path$/],
  [['a..b=3'], '--set a..b', /is not a key path$/],
  [['epochs='], '--set epochs', /^has no value$/],
  [['epochs=# none'], '--set epochs', /^# begins a comment/],
  [['name=train #2'], '--set name', /^# begins a comment in YAML: what follows it would be left out$/],
  [['data={ name: synthetic } # all'], '--set data', /^# begins a comment/],
  [['epochs=['], '--set epochs', /./],
  [['epochs=*a'], '--set epochs', /names no anchor/],
  [['epochs=!x 3'], '--set epochs', /Unresolved tag/],
  [['__proto__.polluted=1'], '--set __proto__.polluted', /^unknown key "__proto__"/],
  [['__proto__=null'], '--set __proto__', /^unknown key "__proto__"/],
  [['constructor=null'], '--set constructor', /^unknown key "constructor"/],
  [['batch.__proto__.size=1'], '--set batch.__proto__.size', /^unknown key "__proto__" in batch/],
  [['learningRate.dropAt.7=1'], '--set learningRate.dropAt.7', /^learningRate\.dropAt has to be a list/],
];

for (const [overrides, place, message] of wrong) {
  test(`refuses ${overrides.join(' ')}`, () => {
    assert.throws(() => set(...overrides), { name: 'UserError', place, message });
    assert.equal(({} as { polluted?: number }).polluted, undefined);
  });
}

test('a # within a word or in quotes is text', () => {
  const trainOf = (value: string) =>
    (set('data.name=image-folder', `data.train=${value}`).data as { train: string }).train;
  assert.equal(trainOf('v/train#2'), 'v/train#2');
  assert.equal(trainOf('"v/train #2"'), 'v/train #2');
  assert.equal(trainOf("'#2'"), '#2');
  assert.throws(
    () => set('name=train #2'),
    ({ fix }: Error & { fix?: string }) => fix!.endsWith(`'name="…#…"'`),
  );
});

test('what is wrong in the file is still found in the file', () => {
  assert.throws(() => parseConfig(`${text}\nepochs: x`, { file: 'a.yaml', overrides: ['seed=2'] }), {
    place: 'a.yaml:5:9',
  });
});

test('the place in a message is the one that --set changes', () => {
  const wrong = 'learningRate.dropAt=[0.5, x, 0.9]';
  let place = '';
  assert.throws(
    () => set(wrong),
    ({ message }: Error) => {
      [, place] = /(learningRate\.dropAt\[\d\])/.exec(message) ?? [];
      return true;
    },
  );
  const path = place.replace('[', '.').replace(']', '');
  assert.deepEqual(set(wrong, `${path}=0.75`).learningRate.dropAt, [0.5, 0.75, 0.9]);
});
