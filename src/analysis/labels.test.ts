import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadExperiment, shippedExperiments } from '../experiments/experiment.js';
import { studyOf } from './collect.js';
import { contrastsOf } from './contrasts.js';

test('a sweep and a table call a cell by the same name, and each cell by a name of its own', async () => {
  for (const name of shippedExperiments()) {
    const experiment = await loadExperiment(name, { out: 'no-results' });
    const swept = new Map(experiment.cells.map(({ key, label }) => [key, label]));
    assert.equal(new Set(swept.values()).size, swept.size, name);
    if (experiment.baseline) continue; // a table names what differs from the baseline's cells, too
    const study = await studyOf(experiment);
    assert.deepEqual(new Map(study.cells.map(({ key, label }) => [key, label])), swept, name);
  }
});

test('no two differences of an experiment have one name', async () => {
  for (const name of shippedExperiments()) {
    const contrasts = contrastsOf(await studyOf(await loadExperiment(name, { out: 'no-results' })));
    for (const names of [contrasts.map(({ label }) => label), contrasts.map(({ id }) => id)]) {
      assert.equal(new Set(names).size, names.length, `${name}: ${names}`);
    }
  }
});

test('BN of all workers’ statistics, and of renormalized ones, is held against BN', async () => {
  const told = async (name: string) =>
    contrastsOf(await studyOf(await loadExperiment(name, { out: 'no-results' }))).map(
      ({ label, published }) => [label, published],
    );
  const synchronized = await told('sync-batch');
  for (const size of [32, 8, 2]) {
    assert.ok(
      synchronized.some(([label]) => label === `sync BN − BN at ${size}`),
      String(size),
    );
  }
  assert.deepEqual(
    (await told('imagenet-batch-renorm')).find(([label]) => label === 'BRN − BN at 4'),
    ['BRN − BN at 4', -1],
  );
});
