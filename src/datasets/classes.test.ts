import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config/load.js';
import { UserError } from '../errors.js';
import { planRun } from '../models/plan.js';
import { chosenClasses, relabel } from './classes.js';
import { knownSizes } from './known-sizes.js';
import { drawSynthetic } from './synthetic.js';

const known = { count: 4, names: ['cat', 'dog', 'horse', 'ship'] };
const whole = { name: 'synthetic', validation: 'test', augment: true } as const;

test('classes are named by number or by name, and keep the order that they are named in', () => {
  assert.deepEqual(chosenClasses(['ship', 0, 'dog'], known), [3, 0, 1]);
  assert.deepEqual(chosenClasses(undefined, known), [0, 1, 2, 3]);
  assert.deepEqual([...relabel([0, 1, 2, 3, 0], [3, 0, 1])], [1, 2, -1, 0, 1]);
});

test('one that there is none of, or twice: an error that says which there are', () => {
  for (const [classes, message, fix] of [
    [[0, 4], /^4 is not a class of this dataset$/, /^valid: 0 to 3, or cat, dog, horse, ship$/],
    [['cat', 'dogg'], /^"dogg" is not a class of this dataset; did you mean dog\?$/, /cat, dog/],
    [['dog', 2, 1], /^1 is a class that is named twice$/, /once/],
  ] as const) {
    assert.throws(
      () => chosenClasses(classes, known),
      (error: UserError) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.place, 'data.classes');
        assert.match(error.message, message);
        assert.match(error.fix!, fix);
        return true;
      },
    );
  }
});

test('a number that is also the name of another class is ambiguous', () => {
  const folders = ['1', '10', '11', '12', '2', '3', '4', '5', '6', '7', '8', '9'];
  const numbered = { count: 12, names: folders };
  assert.throws(
    () => chosenClasses([1, 2, 10], numbered),
    ({ message, fix }: UserError) =>
      /^1 is ambiguous: the class called "1" has the number 0, and number 1 is called "10"$/.test(message) &&
      /"1"/.test(fix!),
  );
  // YAML reads 01 as the number 1.
  assert.throws(() => chosenClasses([1, 2], { count: 3, names: ['01', '02', '03'] }), /ambiguous/);
  assert.deepEqual(chosenClasses(['1', '2', '10'], numbered), [0, 4, 1]);
  assert.deepEqual(chosenClasses([0, 1], { count: 3, names: ['0', '1', '2'] }), [0, 1]);
});

test('data holds the images of the chosen classes alone, subsets counted within them', () => {
  const all = drawSynthetic(whole);
  const some = drawSynthetic({ ...whole, classes: ['ring', 'disc', 7] });
  assert.equal(some.classes, 3);
  assert.equal(some.train.count, knownSizes(parsed('[1, 0, 7]').data).sizes.train);
  const size = 32 * 32 * 3;
  const places = [...all.train.labels.keys()].filter((index) => [0, 1, 7].includes(all.train.labels[index]));
  for (const [at, index] of places.slice(0, 9).entries()) {
    assert.equal([1, 0, 7][some.train.labels[at]], all.train.labels[index]);
    assert.deepEqual(
      some.train.images.subarray(at * size, (at + 1) * size),
      all.train.images.subarray(index * size, (index + 1) * size),
    );
  }
  const few = drawSynthetic({ ...whole, classes: [1, 0, 7], trainSubset: 30, valSubset: 6 });
  const counts = [0, 1, 2].map((label) => few.train.labels.filter((other) => other === label).length);
  assert.deepEqual(counts, [10, 10, 10]);
  assert.equal(few.validation.count, 6);
});

const parsed = (classes: string, more = '') =>
  parseConfig(`model: resnet20\nnormalizer: gn\ndata: { name: synthetic, classes: ${classes}${more} }\n`, {
    file: 'a.yaml',
  });

test('a run is planned with as many outputs and images as the classes have', () => {
  const plan = planRun(parsed('[0, 1, 2, 3, 4]'));
  assert.deepEqual(plan.sizes, { train: 1025, validation: 514 });
  assert.deepEqual(plan.model.variables.find(({ name }) => name === 'head.bias')?.shape, [5]);
  assert.throws(() => planRun(parsed('[0, 1]', ', trainSubset: 500')), /there are 410/);
  assert.throws(() => planRun(parsed('[0, 10]')), /10 is not a class/);
  assert.throws(() => parsed('[0]'), /data\.classes/);
});

test('CIFAR-10’s classes have names', () => {
  const config = parseConfig(
    'model: resnet20\nnormalizer: gn\ndata: { name: cifar10, classes: [airplane, 9] }\n',
    { file: 'a.yaml' },
  );
  assert.deepEqual(knownSizes(config.data), {
    sizes: { train: 10_000, validation: 2_000 },
    classes: 2,
    shape: [32, 32, 3],
  });
});
