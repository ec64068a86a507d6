import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { studyOf } from '../../analysis/collect.js';
import { makeTrial } from '../testing/trial-experiment.js';
import { tableModel } from './model.js';
import { notesOf } from './notes.js';

test('a table says which of its runs were trained on other data than the rest', async (t) => {
  const { experiment, cell, write } = await makeTrial(t);
  const withData = (folder: string, data: Record<string, string>) => {
    const file = join(folder, 'environment.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), data }));
  };
  const published = { 'data_batch_1.bin': 'aa', 'test_batch.bin': 'bb' };
  for (const seed of [1, 2]) {
    withData(write(cell('batch', 32), seed, 30), published);
    withData(write(cell('group', 32), seed, 31), { ...published, 'later version (contents)': 'x' });
  }
  const notes = async () =>
    notesOf(tableModel(await studyOf(experiment))).filter((note) => /other data/.test(note));
  assert.deepEqual(await notes(), []);
  withData(write(cell('group', 32), 2, 31), { ...published, 'data_batch_1.bin': 'cc' });
  assert.deepEqual(await notes(), [
    'Trained on other data: GN, batch 32, seed 2, differs from BN, batch 32, seed 1 in data_batch_1.bin.',
  ]);
});
