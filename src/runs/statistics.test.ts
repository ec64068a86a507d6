import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CurveRow } from './curves.js';
import { median, validationError } from './statistics.js';

const rows = (...errors: (number | undefined)[]) => errors.map((val_error) => ({ val_error }) as CurveRow);

test('final, median of the last five and best', () => {
  assert.deepEqual(validationError(rows(1, 90, 50, 40, 44, 42, 41)), { final: 41, medianLast5: 42, best: 1 });
  assert.deepEqual(validationError(rows(90, 80)), { final: 80, medianLast5: 85, best: 80 });
});

test('epochs that were not evaluated do not count', () => {
  assert.deepEqual(validationError(rows(undefined, 50, undefined)), { final: 50, medianLast5: 50, best: 50 });
  assert.deepEqual(validationError(rows(undefined)), {});
  assert.deepEqual(validationError([]), {});
});

test('NaN makes the median NaN and does not hide the best', () => {
  const found = validationError(rows(Number.NaN, 50, Number.NaN));
  assert.deepEqual(found, { final: Number.NaN, medianLast5: Number.NaN, best: 50 });
  assert.deepEqual(median([]), Number.NaN);
  assert.equal(median([10, 9, 100]), 10);
});
