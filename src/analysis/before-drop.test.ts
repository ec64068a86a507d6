import assert from 'node:assert/strict';
import test from 'node:test';
import { parseConfig } from '../config/load.js';
import { classificationError } from '../tasks/metric.js';
import { mostlyBeforeDrop } from './before-drop.js';
import { type Study, type StudyRun, studyCell } from './study.js';

function found(settings: string, rates: number[], evaluated = rates.map(() => true)): string[] {
  const text = `model: { name: resnet20 }\nnormalizer: { name: batch }\ndata: { name: cifar10 }\n${settings}`;
  const rows = rates.map((learning_rate, at) => ({
    learning_rate,
    val_error: evaluated[at] ? 50 : undefined,
  }));
  const run = { seed: 1, outcome: 'completed', value: 50, rows } as unknown as StudyRun;
  const cell = studyCell('key', parseConfig(text, { file: 'x.yaml', overrides: [] }), [run]);
  return mostlyBeforeDrop({
    metric: classificationError,
    cells: [cell],
    baseline: [] as Study['baseline'],
  } as Study);
}

test('a median of five evaluations, three of them from before the last drop, is named', () => {
  assert.deepEqual(found('', [1, 1, 1, 0.1, 0.1]).length, 1);
  assert.deepEqual(found('', [1, 1, 0.1, 0.1, 0.1]), []);
});

test('only the last five evaluations count', () => {
  assert.deepEqual(found('', [1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1]), []);
  assert.equal(found('', [1, 1, 0.1, 1, 0.1], [true, true, false, true, true]).length, 1);
});

test('a rate that falls at every step has no last drop', () => {
  assert.deepEqual(found('learningRate: { schedule: cosine }', [0.5, 0.4, 0.3, 0.2, 0.1]), []);
});
