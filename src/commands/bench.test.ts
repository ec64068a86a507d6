import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bench } from './bench.js';

it('a page of a measurement without profiles is refused before anything is measured', async () => {
  const grid = { batch: [2], normalizer: ['group'], model: 'resnet20', precision: ['float32'], steps: 1 };
  const refused = bench({ ...grid, convolutions: ['direct'], set: [], format: 'html', quiet: true });
  await assert.rejects(refused, {
    message: 'a page has nothing to show but profiles',
    place: '--format html',
  });
});
