import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sweep } from '../commands/sweep.js';
import { loadExperiment } from '../experiments/experiment.js';
import { snapshot } from '../experiments/snapshot.js';
import { resourceSlice } from './local/share.js';
import { refuseMixture } from './mixture.js';

const text = `
title: a test
base: { data: synthetic, model: resnet20, epochs: 4 }
axes: { normalizer: [batch, layer] }
seeds: [1, 2]
`;

test('a cell’s runs do not mix kinds of convolutions, unless the sweep is told to', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-mixture-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'test.yaml');
  writeFileSync(file, text);
  const out = join(folder, 'results');
  const load = (...set: string[]) => loadExperiment(file, { out, set });
  const direct = await load();
  const winograd = await load('engine.convolutions=winograd');
  await snapshot(direct);
  refuseMixture(direct);
  refuseMixture(winograd);

  // One run was begun with Winograd's filtering, by whatever sweep.
  const [{ folder: begun, cell }] = direct.runs;
  mkdirSync(begun, { recursive: true });
  writeFileSync(join(begun, 'config.yaml'), 'engine: { variant: auto, convolutions: winograd }\n');
  refuseMixture(winograd);
  const refused = {
    message: /asks for direct convolutions, and .*config\.yaml has winograd ones, of the same cell/,
    fix: /engine\.convolutions to winograd, or say --mixed-convolutions/,
    exitCode: 2,
  };
  assert.throws(() => refuseMixture(direct), refused);
  await assert.rejects(sweep(file, { out, quiet: true }), refused);

  // It is settled; its cell's next seed would still mix, the other cell's runs would not.
  writeFileSync(join(begun, 'summary.json'), JSON.stringify({ status: 'completed', steps: { done: 1 } }));
  const only = (...runs: typeof direct.runs) => ({ ...direct, runs });
  const [next] = direct.runs.filter((run) => run.cell === cell && run.folder !== begun);
  assert.throws(() => refuseMixture(only(next)), refused);
  refuseMixture(only(...direct.runs.filter((run) => run.cell !== cell)));

  // A sweep that is told to goes on with each as it was begun.
  const run = { folder: begun, config: '/nowhere/config.yaml' };
  assert.ok(
    resourceSlice({ cores: 2, devices: [] }, 1, 0, run).overrides.includes('engine.convolutions=winograd'),
  );
});
