import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Draws, threefry } from './random.js';

test('Threefry-2x32-20 gives the known answers of its authors (Random123, kat_vectors)', () => {
  const out = new Uint32Array(2);
  threefry(0, 0, 0, 0, out);
  assert.deepEqual([...out], [0x6b200159, 0x99ba4efe]);
  threefry(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, out);
  assert.deepEqual([...out], [0x1cb996fc, 0xbb002be7]);
  threefry(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, out);
  assert.deepEqual([...out], [0xc4923a9c, 0x483df7a0]);
});

test('draws are a function of seed, purpose, epoch and index, and differ when any of them does', () => {
  const first = (...args: ConstructorParameters<typeof Draws>) => new Draws(...args).next();
  assert.equal(first(1, 'augment', 2, 3), first(1, 'augment', 2, 3));
  const all = [
    first(1, 'augment', 2, 3),
    first(2, 'augment', 2, 3),
    first(1 + 2 ** 32, 'augment', 2, 3),
    first(1 + 2 ** 52, 'augment', 2, 3),
    first(1, 'order', 2, 3),
    first(1, 'augment', 3, 3),
    first(1, 'augment', 2, 4),
    first(1, 'augment', 3, 2),
  ];
  assert.equal(new Set(all).size, all.length);
});

test('restarting is the same as making anew, in mid-pair too', () => {
  const draws = new Draws(5, 'imageFile', 1, 1);
  draws.next();
  draws.restart(5, 'imageFile', 1, 2);
  const again = new Draws(5, 'imageFile', 1, 2);
  for (let i = 0; i < 5; i++) assert.equal(draws.next(), again.next());
});

test('numbers are spread evenly: 9 shifts by chi-squared, the unit interval by its mean', () => {
  const draws = new Draws(7, 'augment');
  const counts = new Array(9).fill(0);
  let sum = 0;
  for (let i = 0; i < 90_000; i++) {
    counts[draws.below(9)]++;
    sum += draws.unit();
  }
  const chiSquared = counts.reduce((total, count) => total + (count - 10_000) ** 2 / 10_000, 0);
  assert.ok(chiSquared < 26.1, `chi-squared ${chiSquared}: above the 99.9 % point for 8 degrees of freedom`);
  assert.ok(Math.abs(sum / 90_000 - 0.5) < 0.004, `mean ${sum / 90_000}`);
});
