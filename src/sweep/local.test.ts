import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockFolder } from '../training/lock.js';
import { openDisplay } from './display.js';
import { sweepLocally } from './local.js';

test('what somebody else has is waited for no longer than asked, and is not started twice', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-local-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const run = { cell: { key: 'bn', label: 'BN' }, seed: 1, folder: join(folder, 'bn', '1') };
  mkdirSync(run.folder, { recursive: true });
  const lock = await lockFolder(run.folder);
  t.after(() => lock.release());
  const since = performance.now();
  const { outcomes, stopped } = await sweepLocally([run], {
    jobs: 2,
    machine: { cores: 2, devices: [] },
    command: { script: '/nowhere/to/be/started.js', args: [] },
    configOf: () => '',
    flags: [],
    failFast: false,
    display: openDisplay({ runs: [run], cost: () => 1, doneBefore: () => 0, quiet: true }),
    pollEvery: 20,
    patience: 300,
  });
  assert.equal(outcomes.size, 0);
  assert.equal(stopped, undefined);
  const waited = performance.now() - since;
  assert.ok(waited >= 300 && waited < 3000, `${waited} ms`);
});
