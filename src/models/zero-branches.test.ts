import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config/load.js';
import { describeModel } from './describe.js';
import { createModel } from './index.js';

/** The names of the variables of this kind that start at 0. */
function zeros(model: string, normalizer: string, kind: 'gamma' | 'weight'): string[] {
  const clips = model.startsWith('i3d');
  const data = clips ? '{ name: synthetic-video }' : '{ name: synthetic }';
  const config = parseConfig(`model: ${model}\nnormalizer: ${normalizer}\ndata: ${data}\n`, {
    file: 'a.yaml',
  });
  const shape = clips ? [8, 64, 64, 3] : [64, 64, 3];
  const { variables } = describeModel(createModel(config.model, 10), config.normalizer, { shape });
  return variables
    .filter(({ name, initial }) => {
      return name.endsWith(kind) && initial.kind === 'constant' && initial.value === 0;
    })
    .map(({ name }) => name);
}

for (const model of ['resnet20', 'resnet50', 'i3d-resnet18', 'i3d-resnet50']) {
  test(`where γ of ${model} starts at 0, the convolution before it does without a normalizer, if asked`, () => {
    const gammas = zeros(model, 'group', 'gamma');
    assert.ok(gammas.length >= 8);
    assert.deepEqual(
      zeros(model, '{ name: none, zeroBranches: true }', 'weight'),
      gammas.map((name) => name.replace('norm', 'conv').replace('gamma', 'weight')),
    );
    assert.deepEqual(zeros(model, 'none', 'weight'), []);
  });
}

test('without γ behind a block, as in one with pre-activation, its last convolution starts at 0 all the same', () => {
  const found = zeros('preact-resnet20', '{ name: none, zeroBranches: true }', 'weight');
  assert.equal(found.length, 9);
  assert.ok(
    found.every((name) => name.endsWith('conv2.weight')),
    String(found),
  );
});

test('filters that are normalized by length need a layer behind them', () => {
  assert.throws(() => zeros('preact-resnet20', 'weight-norm', 'weight'), /choose resnet20$/m);
});

test('filters of zeros cannot be standardized', () => {
  const both = '{ name: none, zeroBranches: true, weightStandardization: true }';
  assert.throws(() => zeros('resnet20', both, 'weight'), /no filter of zeros has the variance 1/);
});
