import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { estimate, mean, sampleStd, studentCumulative, studentQuantile } from './statistics.js';

const close = (actual: number | undefined, expected: number, tolerance: number) =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('Student quantiles are those of the published tables', () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, and closed forms for 1 and 2 degrees of freedom.
  const table: [p: number, degrees: number, t: number][] = [
    [0.975, 1, 12.7062],
    [0.975, 2, 4.30265],
    [0.975, 3, 3.18245],
    [0.975, 4, 2.77645],
    [0.975, 5, 2.57058],
    [0.975, 9, 2.26216],
    [0.975, 10, 2.22814],
    [0.975, 30, 2.04227],
    [0.975, 100, 1.98397],
    [0.95, 7, 1.89458],
    [0.995, 3, 5.84091],
    [0.975, 1e6, 1.95997],
  ];
  for (const [p, degrees, t] of table) close(studentQuantile(p, degrees), t, 6e-5);
  close(studentQuantile(0.975, 1), Math.tan(Math.PI * 0.475), 1e-10);
  close(studentQuantile(0.975, 2), 0.95 * Math.sqrt(2 / (1 - 0.95 ** 2)), 1e-12);
});

test('a quantile undoes the distribution function, on both sides', () => {
  const degrees = fc.integer({ min: 1, max: 200 });
  const probability = fc.double({ min: 0.001, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(probability, degrees, (p, nu) => {
      close(studentCumulative(studentQuantile(p, nu), nu), p, 1e-12);
      close(
        studentQuantile(1 - p, nu),
        -studentQuantile(p, nu),
        1e-9 * Math.abs(studentQuantile(p, nu)) + 1e-9,
      );
    }),
    { numRuns: 200, seed: 1 },
  );
});

test('mean and sample standard deviation', () => {
  assert.equal(mean([1, 2, 6]), 3);
  close(sampleStd([13.2, 13.6, 14.0]), 0.4, 1e-12);
  assert.equal(sampleStd([13.2]), undefined);
});

test('an estimate has an interval from two values on', () => {
  assert.equal(estimate([]), undefined);
  assert.deepEqual(estimate([4]), { mean: 4, n: 1 });
  const three = estimate([1, 2, 3]);
  close(three?.interval?.[0], 2 - 4.30265 / Math.sqrt(3), 1e-5);
  close(three?.interval?.[1], 2 + 4.30265 / Math.sqrt(3), 1e-5);
});
