import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configId } from '../config/identity.js';
import { parseConfig } from '../config/load.js';
import { UserError } from '../errors.js';
import { decayFactor, isFrozen, rateFactor, trainedVariables } from './parameter-groups.js';
import { planRun } from './plan.js';

const parsed = (optimizer: string) =>
  parseConfig(`model: resnet20\nnormalizer: bn\ndata: synthetic\noptimizer: ${optimizer}\n`, {
    file: 'a.yaml',
  });

test('parts are whole words from the front of a name', () => {
  const optimizer = { frozen: ['stage1', 'stem.conv'] };
  for (const name of ['stage1.block0.conv1.weight', 'stage1.block2.norm1.mean', 'stem.conv.weight']) {
    assert.ok(isFrozen(optimizer, name), name);
  }
  for (const name of ['stage10.conv.weight', 'stem.norm.gamma', 'head.weight']) {
    assert.ok(!isFrozen(optimizer, name), name);
  }
});

test('of several rates the one of the smallest part counts, and it is 1 elsewhere', () => {
  const optimizer = { rates: { 'stage1.block0': 0.5, stage1: 0.1, head: 10 } };
  assert.equal(rateFactor(optimizer, 'stage1.block0.conv1.weight'), 0.5);
  assert.equal(rateFactor(optimizer, 'stage1.block1.conv1.weight'), 0.1);
  assert.equal(rateFactor(optimizer, 'head.bias'), 10);
  assert.equal(rateFactor(optimizer, 'stem.conv.weight'), 1);
});

test('factors of parts and of roles multiply each other', () => {
  const optimizer = { rates: { bias: 2, stage1: 0.1 }, decay: { gamma: 0, beta: 0, head: 0.5, bias: 3 } };
  assert.equal(rateFactor(optimizer, 'stage1.conv1.bias'), 0.2);
  assert.equal(rateFactor(optimizer, 'head.bias'), 2);
  assert.equal(rateFactor(optimizer, 'stage1.conv1.weight'), 0.1);
  assert.equal(decayFactor(optimizer, 'stem.norm.gamma'), 0);
  assert.equal(decayFactor(optimizer, 'stem.norm.tau'), 0, 'τ is trained as a β');
  assert.equal(decayFactor(optimizer, 'head.bias'), 1.5);
  assert.equal(decayFactor(optimizer, 'stem.conv.weight'), 1);
});

test('a role is frozen everywhere, and leaves running statistics alone', () => {
  const optimizer = { frozen: ['gamma', 'beta'] };
  for (const name of ['stem.norm.gamma', 'stage2.block0.norm1.beta']) assert.ok(isFrozen(optimizer, name));
  for (const name of ['stem.conv.weight', 'stem.norm.mean']) assert.ok(!isFrozen(optimizer, name));
});

test('what is trained is no statistic, and not frozen', () => {
  const { model } = planRun(parsed('{ frozen: [stem, stage1, stage2, stage3] }'));
  const { optimizer } = parsed('{ frozen: [stem, stage1, stage2, stage3] }');
  const names = trainedVariables(model.variables, optimizer).map(({ name }) => name);
  assert.deepEqual(names, ['head.weight', 'head.bias']);
});

test('what the model has not, and what cannot be, is an error that says what there is', () => {
  for (const [optimizer, place, message, fix] of [
    [
      '{ frozen: [stem, stage9] }',
      'optimizer.frozen',
      /no part "stage9"; did you mean stage1\?/,
      /valid: stem, stage1, stage2, stage3, head,/,
    ],
    ['{ decay: { body: 2 } }', 'optimizer.decay', /no part "body"/, /stem\.conv\.weight/],
    [
      '{ frozen: [gamma], decay: { gamma: 0 } }',
      'optimizer.decay',
      /gamma is frozen, and has no weight decay/,
      /unfreeze/,
    ],
    ['{ rates: { body: 2 } }', 'optimizer.rates', /no part "body"/, /stem\.conv\.weight/],
    [
      '{ frozen: [stage1], rates: { stage1.block0: 2 } }',
      'optimizer.rates',
      /stage1\.block0 is frozen/,
      /unfreeze/,
    ],
    [
      '{ frozen: [stem, stage1, stage2, stage3, head] }',
      'optimizer.frozen',
      /every parameter is frozen/,
      /head/,
    ],
  ] as const) {
    assert.throws(
      () => planRun(parsed(optimizer)),
      (error: UserError) => {
        assert.ok(error instanceof UserError, String(error));
        assert.equal(error.place, place);
        assert.match(error.message, message);
        assert.match(error.fix!, fix);
        return true;
      },
    );
  }
  assert.throws(() => parsed('{ frozen: [""] }'), /optimizer\.frozen\[0\]/);
  assert.throws(() => parsed('{ rates: { head: 0 } }'), /optimizer\.rates\.head/);
});

test('order and repetition make no other experiment', () => {
  const id = (optimizer: string) => configId(parsed(optimizer));
  assert.equal(id('{ frozen: [stage1, stem, stem] }'), id('{ frozen: [stem, stage1] }'));
  assert.notEqual(id('{ frozen: [stem] }'), id('{}'));
  assert.notEqual(id('{ rates: { head: 10 } }'), id('{}'));
});

test('a part that the model does not have, and groups that do not fit in one, are errors at their place', () => {
  const config = (normalizer: string) =>
    parseConfig(`model: resnet20\nnormalizer: ${normalizer}\ndata: synthetic\n`, { file: 'a.yaml' });
  for (const [normalizer, place, message] of [
    ['{ name: group, parts: { stem2: batch } }', 'normalizer.parts', /no part "stem2"; did you mean stem\?/],
    [
      '{ name: batch, parts: { stage1: { name: group, groups: 5 } } }',
      'normalizer.parts.stage1.groups',
      /16 channels cannot be divided by 5/,
    ],
  ] as const) {
    assert.throws(
      () => planRun(config(normalizer)),
      (error) => error instanceof UserError && error.place === place && message.test(error.message),
      normalizer,
    );
  }
  const twice = '{ name: bn, parts: { stem: { name: gn, groups: 2, channelsPerGroup: 2 } } }';
  assert.throws(() => config(twice), /channelsPerGroup stands beside normalizer\.parts\.stem\.groups/);
  const backwards = '{ name: bn, parts: { stem: { name: batch-renorm, warmup: [0.5, 0.2] } } }';
  assert.throws(() => config(backwards), /comes before the share/);
});
