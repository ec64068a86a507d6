import assert from 'node:assert/strict';
import test from 'node:test';
import { parseConfig } from '../config/load.js';
import { classificationError, type Metric } from '../tasks/metric.js';
import { fewExamples } from './few-examples.js';
import { type Study, type StudyRun, studyCell } from './study.js';

function cellOf(data: string, ...errors: number[]) {
  const text = `model: { name: resnet20 }\nnormalizer: { name: batch }\ndata: ${data}\n`;
  const runs = errors.map((value, index) => ({ seed: index + 1, outcome: 'completed', value, rows: [] }));
  return studyCell(
    'key',
    parseConfig(text, { file: 'x.yaml', overrides: [] }),
    runs as unknown as StudyRun[],
  );
}

const found = (cells: Study['cells'], metric: Metric = classificationError) =>
  fewExamples({ metric, cells, baseline: [] as Study['baseline'] } as Study);

test('fifty images at an error of a half have an interval of 14 points to either side', () => {
  const { count, unit, error } = found([cellOf('{ name: cifar10, valSubset: 50 }', 40, 60)])!;
  const { percent, margin } = error!;
  assert.deepEqual([count, unit, percent], [50, 'images', 50]);
  assert.ok(Math.abs(margin - 13.859) < 0.001, `${margin}`);
});

test('the least sure of the cells speaks, and a folder’s expected number counts unless images are held out', () => {
  const folder = '{ name: image-folder, expect: { classes: 2, train: 250, val: 400 } }';
  const held = folder.replace('expect', 'validation: { fromTrain: 60 }, expect');
  assert.equal(found([cellOf(held, 30)])!.count, 60);
  assert.equal(found([cellOf(folder, 1), cellOf(folder, 30), cellOf(folder, 80)])!.error!.percent, 30);
});

test('nothing is said of many examples, of unknown ones, and before the first run', () => {
  assert.equal(found([cellOf('{ name: cifar10, valSubset: 1001 }', 50)]), undefined);
  assert.equal(found([cellOf('{ name: cifar10 }', 50)]), undefined);
  assert.equal(found([cellOf('{ name: cifar10, valSubset: 50 }')]), undefined);
});

test('of a number that is no share only the examples are told', () => {
  const precision: Metric = { name: 'maskAP', unit: 'points', better: 'higher', aboutEqual: 0.5 };
  assert.deepEqual(found([cellOf('{ name: cifar10, valSubset: 50 }', 50)], precision), {
    count: 50,
    unit: 'images',
  });
});
