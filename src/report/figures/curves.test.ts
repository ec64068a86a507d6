import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classificationError, type Metric } from '../../tasks/metric.js';
import { curveDomain } from './curves.js';

const precision: Metric = { name: 'AP', unit: 'points', better: 'higher', aboutEqual: 0.5 };
const line = (values: number[]) => values.map((y, index) => ({ line: 'GN', x: index + 1, y }));

test('the axis leaves out how a curve begins, at the end where its metric is bad', () => {
  const falling = [90, 80, 42, ...Array<number>(17).fill(31)];
  assert.deepEqual(curveDomain(line(falling), 20, classificationError), [30, 45]);
  const rising = falling.map((error) => 100 - error);
  assert.deepEqual(curveDomain(line(rising), 20, precision), [55, 70]);
});

test('the best value is on the axis even if it is an early one', () => {
  assert.deepEqual(curveDomain(line([11, ...Array<number>(19).fill(31)]), 20, classificationError), [10, 35]);
  assert.deepEqual(curveDomain(line([89, ...Array<number>(19).fill(69)]), 20, precision), [65, 90]);
});
