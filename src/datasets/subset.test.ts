import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../errors.js';
import { balancedOrder, chooseImages } from './subset.js';

const labels = Int32Array.from({ length: 200 }, (_, index) => (index * 7) % 10);
const testLabels = Int32Array.from({ length: 50 }, (_, index) => index % 10);
const classCounts = (indices: Uint32Array, of: Int32Array) => {
  const counts = new Array(10).fill(0);
  for (const index of indices) counts[of[index]]++;
  return counts;
};

test('without subsets it is the published split, in its order', () => {
  const { train, validation } = chooseImages({ validation: 'test' }, labels, testLabels);
  assert.deepEqual([...train], [...labels.keys()]);
  assert.deepEqual(
    { ...validation, indices: [...validation.indices] },
    { from: 'test', indices: [...testLabels.keys()] },
  );
});

test('subsets are balanced, and a larger one begins with the smaller one', () => {
  const choose = (trainSubset: number) =>
    chooseImages({ validation: 'test', trainSubset, valSubset: 20 }, labels, testLabels);
  const small = choose(30);
  assert.deepEqual(classCounts(small.train, labels), new Array(10).fill(3));
  assert.deepEqual(classCounts(small.validation.indices, testLabels), new Array(10).fill(2));
  assert.deepEqual(choose(57).train.subarray(0, 30), small.train);
});

test('a validation split of the training set shares no image with what is trained on', () => {
  const { train, validation } = chooseImages({ validation: { fromTrain: 50 } }, labels, testLabels);
  assert.equal(validation.from, 'train');
  assert.deepEqual(classCounts(validation.indices, labels), new Array(10).fill(5));
  assert.deepEqual(
    [...train, ...validation.indices].sort((a, b) => a - b),
    [...labels.keys()],
  );
  const smaller = chooseImages(
    { validation: { fromTrain: 50 }, trainSubset: 20, valSubset: 10 },
    labels,
    testLabels,
  );
  assert.ok(smaller.train.every((index) => train.includes(index)));
  assert.ok(smaller.validation.indices.every((index) => validation.indices.includes(index)));
});

test('more images than there are: an error that names the key and the limit', () => {
  for (const [config, place, limit] of [
    [{ trainSubset: 201 }, 'data.trainSubset', 200],
    [{ valSubset: 51 }, 'data.valSubset', 50],
    [{ validation: { fromTrain: 200 } }, 'data.validation.fromTrain', 199],
    [{ validation: { fromTrain: 100 }, trainSubset: 101 }, 'data.trainSubset', 100],
  ] as const) {
    assert.throws(
      () => chooseImages({ validation: 'test', ...config }, labels, testLabels),
      (error: UserError) =>
        error instanceof UserError && error.place === place && error.message.includes(String(limit)),
    );
  }
});

test('any labels: each prefix holds the classes as evenly as they last', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 60 }), (some) => {
      const order = balancedOrder(some, Uint32Array.from(some.keys()), 'subset');
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        [...some.keys()],
      );
      const sizes = [0, 1, 2, 3, 4].map((label) => some.filter((other) => other === label).length);
      const taken = [0, 0, 0, 0, 0];
      for (const index of order) {
        taken[some[index]]++;
        const most = Math.max(...taken);
        taken.forEach((count, label) => {
          assert.ok(count >= Math.min(sizes[label], most - 1), `${taken} of ${sizes}`);
        });
      }
    }),
  );
});

test('the choice is pinned: results on a subset are compared across versions', () => {
  const { train } = chooseImages({ validation: 'test', trainSubset: 10 }, labels, testLabels);
  assert.deepEqual([...train], [90, 123, 46, 199, 2, 35, 128, 61, 24, 17]);
});
