import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epochOrder } from './order.js';

test('an epoch visits every image once', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 0, max: 300 }),
      (seed, epoch, count) => {
        assert.deepEqual(
          epochOrder(seed, epoch, count).sort(),
          Uint32Array.from({ length: count }, (_, index) => index),
        );
      },
    ),
  );
});

test('the order is pinned: a change of it would make old checkpoints resume on other images', () => {
  assert.deepEqual([...epochOrder(1, 1, 10)], [3, 8, 0, 9, 2, 6, 5, 1, 4, 7]);
  assert.deepEqual([...epochOrder(1, 2, 10)], [0, 6, 7, 2, 3, 5, 1, 8, 9, 4]);
  assert.deepEqual([...epochOrder(2, 1, 10)], [4, 7, 1, 0, 8, 6, 3, 2, 5, 9]);
});

test('every image is as likely at every place', () => {
  const counts = Array.from({ length: 6 }, () => new Array(6).fill(0));
  for (let epoch = 1; epoch <= 6000; epoch++) {
    epochOrder(3, epoch, 6).forEach((image, place) => {
      counts[place][image]++;
    });
  }
  // 36 cells of 1000 expected each, standard deviation 29.
  for (const cell of counts.flat()) assert.ok(Math.abs(cell - 1000) < 130, `${cell} of about 1000`);
});
