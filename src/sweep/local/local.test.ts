import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockFolder } from '../../storage/lock.js';
import { attemptsFile } from '../attempts.js';
import { openDisplay } from '../display.js';
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

test('a run that another sweep took over in the meantime is that one’s, and so is what it wrote down', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-local-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const run = { cell: { key: 'bn', label: 'BN' }, seed: 1, folder: join(folder, 'bn', '1') };
  const [claim, over] = [join(folder, 'bn', '1.lock'), join(folder, 'over')];
  const script = join(folder, 'crashes.mjs');
  writeFileSync(
    script,
    `import { existsSync } from 'node:fs';
setInterval(() => existsSync(${JSON.stringify(over)}) && process.exit(1), 5);`,
  );
  const sweeping = sweepLocally([run], {
    jobs: 1,
    machine: { cores: 1, devices: [] },
    command: { script, args: [] },
    configOf: () => '',
    flags: [],
    failFast: false,
    display: openDisplay({ runs: [run], cost: () => 1, doneBefore: () => 0, quiet: true }),
    pollEvery: 20,
  });
  while (!existsSync(attemptsFile(run.folder))) await sleep(5);
  // The other one: it holds the claim, brings the run to its end and lets go.
  writeFileSync(claim, 'of another');
  const told = '{"attempts":[]}';
  writeFileSync(attemptsFile(run.folder), told);
  cpSync('results/table2-batch-size-small/bn-b2-db46857f38/1', run.folder, { recursive: true });
  writeFileSync(over, '');
  const { outcomes } = await sweeping;
  assert.equal(outcomes.get(run)?.kind, 'completed');
  assert.equal(readFileSync(attemptsFile(run.folder), 'utf8'), told);
});
