import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, cellId, configId, configIdentity } from './identity.js';
import { loadConfig, parseConfig } from './load.js';

const text = 'model: resnet20\nnormalizer: gn\ndata: cifar10\n';
const config = (...overrides: string[]) => parseConfig(text, { file: 'a.yaml', overrides });

/**
 * Results on disk go by these: a change here makes every finished run look like another experiment. A new key needs a
 * default with the old meaning, and then changes none of them.
 */
const pinned: [string, string[], string][] = [
  ['resnet-gn-b2', [], '71740aa60f'],
  ['resnet-bn-b2', [], '9090724f89'],
  ['resnet-gn-b32', [], '969b3376ab'],
  ['resnet-bn-b32', [], '19471d7c93'],
  ['resnet-ln-b32', [], '8b714bd7ce'],
  ['resnet-in-b32', [], '8fc070f85c'],
  ['resnet-gn-b2', ['seed=2'], 'd431bef495'],
  ['resnet-gn-b2', ['normalizer.channelsPerGroup=4', 'batch.workers=8', 'precision=bfloat16'], 'ef873d80c6'],
  [
    'resnet-bn-b2',
    ['evaluate.statistics=precise', 'learningRate.dropAt=[10, 20, 27]', 'epochs=30'],
    'b41625718c',
  ],
];

for (const [name, overrides, id] of pinned) {
  test(`the id of ${[name, ...overrides].join(' ')} stays`, async () => {
    assert.equal(configId(await loadConfig(`configs/${name}.yaml`, overrides)), id);
  });
}

test('defaults are left out, written or not', () => {
  assert.deepEqual(configIdentity(config()), {
    model: { name: 'resnet20' },
    normalizer: { name: 'group' },
    data: { name: 'cifar10' },
  });
  const written = ['normalizer.groups=8', 'batch.size=32', 'seed=1', 'learningRate.dropAt=[0.5, 0.75]'];
  assert.equal(configId(config(...written)), configId(config()));
  const nothing = [
    'init=scratch',
    'optimizer.frozen=[]',
    'optimizer.rates={}',
    'optimizer.decay={}',
    'normalizer.parts={}',
  ];
  assert.deepEqual(config(...nothing), config());
});

test('a detector with frozen BN has an id, which depends on the weights that it begins with', () => {
  const detector = (weights: string) =>
    parseConfig(
      `model: mask-rcnn\nnormalizer: {name: none, parts: {backbone: frozen-batch}}\ndata: shapes\ninit: {weights: ${weights}}\n`,
      { file: 'a.yaml' },
    );
  assert.deepEqual(configIdentity(detector('a.safetensors')), {
    model: { name: 'mask-rcnn' },
    normalizer: { name: 'none', parts: { backbone: { name: 'frozen-batch', affine: 'fixed' } } },
    data: { name: 'shapes' },
    init: { weights: 'a.safetensors', head: 'keep' },
  });
  assert.notEqual(configId(detector('a.safetensors')), configId(detector('b.safetensors')));
});

test("a part's normalizer counts by its name and by what is not at its default", () => {
  const written = config(
    'normalizer.parts={stem: {name: batch, epsilon: 1e-5}, head: {name: group, groups: 8}}',
  );
  assert.deepEqual(configIdentity(written).normalizer, {
    name: 'group',
    parts: { stem: { name: 'batch' }, head: { name: 'group' } },
  });
});

test('what does not affect the result is left out', () => {
  const others = [
    'name=other',
    'engine={variant: cpu, intraOpThreads: 2, interOpThreads: 1, convolutions: winograd}',
    'checkpoint={everySteps: 5, everyMinutes: 1, keep: 9}',
    'log.everySteps=3',
    'batch.microSteps=4',
    'evaluate.batchSize=10',
    'evaluate.preciseImages=10',
  ];
  for (const override of others) assert.equal(configId(config(override)), configId(config()), override);
});

test('what affects the result changes the id', () => {
  const others = [
    'model.name=resnet32',
    'model.shortcut=projection',
    'normalizer.groups=4',
    'normalizer.epsilon=1e-3',
    'normalizer=layer',
    'normalizer.parts={stem: batch}',
    'normalizer.parts={stem: layer}',
    'normalizer.parts={stage1: layer}',
    'optimizer.decay={gamma: 0}',
    'data.name=synthetic',
    'data.trainSubset=5000',
    'data.validation={fromTrain: 5000}',
    'data.augment=false',
    'data.classes=[0, 1]',
    'data.classes=[1, 0]',
    'init={weights: a.safetensors}',
    'init={weights: a.safetensors, head: new}',
    'batch.size=2',
    'batch.workers=8',
    'learningRate.base=0.2',
    'learningRate.warmupEpochs=1',
    'optimizer.decayNormalizer=false',
    'optimizer.frozen=[stem]',
    'optimizer.rates={head: 10}',
    'epochs=30',
    'seed=2',
    'precision=bfloat16',
    'evaluate.every=2',
    'evaluate.statistics=precise',
  ];
  const ids = [config(), ...others.map((override) => config(override))].map(configId);
  assert.equal(new Set(ids).size, ids.length);
  const precise = config('evaluate.statistics=precise', 'evaluate.preciseImages=10');
  assert.notEqual(configId(precise), configId(config('evaluate.statistics=precise')));
});

test('a cell is a configuration without its seed', () => {
  assert.equal(cellId(config('seed=7')), cellId(config()));
  assert.equal(cellId(config()), configId(config()));
  assert.notEqual(cellId(config('epochs=3')), cellId(config()));
});

test('the order of keys is of no account', () => {
  assert.equal(canonicalJson({ b: [{ y: 1, x: 2 }], a: null }), '{"a":null,"b":[{"x":2,"y":1}]}');
  const reordered = parseConfig(text.trim().split('\n').reverse().join('\n'), { file: 'b.yaml' });
  assert.equal(configId(reordered), configId(config()));
});
