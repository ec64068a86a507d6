import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config/load.js';
import { detectionMetrics } from '../tasks/detection/metrics.js';
import type { Summary } from './summary.js';
import { summaryInWords } from './summary-in-words.js';

const summary = {
  status: 'completed',
  name: 'bn',
  seed: 3,
  epochs: { done: 1, total: 1 },
  steps: { done: 100, total: 100 },
  valError: { final: 40, medianLast5: 41.5, best: 39 },
  imagesPerSecond: 512.4,
} as unknown as Summary;
const nothing = { final: null, medianLast5: null, best: null };
const configOf = (text: string) => parseConfig(text, { file: 'a.yaml' });
const small = configOf('model: resnet20\nnormalizer: bn\ndata: synthetic\n');
const linesOf = (changes: object, config = small) =>
  summaryInWords({ ...summary, ...changes } as Summary, config, 'out')
    .trimEnd()
    .split('\n');

test('an ended run is three lines', () => {
  assert.deepEqual(linesOf({}), [
    'bn (seed 3) completed 1 epoch, 512 images/s',
    'validation error  40.00 % last, 41.50 % median of the last 5 epochs, 39.00 % best',
    'curves            out/curves.csv',
  ]);
});

test('one that diverged before its first evaluation says once that it was not evaluated', () => {
  assert.deepEqual(
    linesOf({ status: 'diverged', divergedAtStep: 6, valError: nothing, imagesPerSecond: null }),
    [
      'bn (seed 3) diverged: the loss at step 6 is not finite; try a lower learningRate.base',
      'validation        not evaluated',
      'curves            out/curves.csv',
    ],
  );
});

test('evaluations every so many steps are not called epochs', () => {
  const often = configOf('model: resnet20\nnormalizer: bn\ndata: synthetic\nevaluate: { everySteps: 200 }\n');
  assert.match(linesOf({}, often)[1], /median of the last 5 evaluations/);
});

test('of a detector the last evaluation counts, and an AP that no object has is left out', () => {
  const detector = configOf('model: mask-rcnn\nnormalizer: gn\ndata: shapes\n');
  const metrics = detectionMetrics(['box']).filter(({ name }) => ['boxAP', 'boxAPlarge'].includes(name));
  assert.equal(metrics.length, 2);
  const values = { valBoxAP: { final: 65.346, medianLast5: 64, best: 65.4 }, valBoxAPlarge: nothing };
  assert.deepEqual(linesOf({ metrics, ...values }, detector).slice(1, -1), [
    'validation box AP  65.35 points last, 65.40 points best',
  ]);
});
