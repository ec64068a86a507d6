import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadExperiment, shippedExperiments } from '../experiments/experiment.js';
import { studyOf } from './collect.js';

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
