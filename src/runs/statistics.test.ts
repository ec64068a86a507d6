import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classificationError, type Metric } from '../tasks/metric.js';
import type { CurveRow } from './curves.js';
import { median, metricStatistics, reportedStatistic } from './statistics.js';

const rows = (...errors: (number | undefined)[]) =>
  errors.map((val_error) => ({ val_error }) as unknown as CurveRow);
const validationError = (of: CurveRow[]) => metricStatistics(of, classificationError);

test('of images the median is reported, of clips and detectors the final model’s number', () => {
  const found = ['resnet20', 'i3d-resnet18', 'c2d-resnet50', 'mask-rcnn', 'faster-rcnn'].map(
    reportedStatistic,
  );
  assert.deepEqual(found, ['medianLast5', 'final', 'final', 'final', 'final']);
});

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

test('of a metric that is better high, the highest is the best', () => {
  const metric: Metric = { name: 'boxAP', unit: 'points', better: 'higher', aboutEqual: 0.5 };
  const of = [10, 40, 30].map((val_boxAP) => ({ val_boxAP, val_error: 1 }) as unknown as CurveRow);
  assert.deepEqual(metricStatistics(of, metric), { final: 30, medianLast5: 30, best: 40 });
});
