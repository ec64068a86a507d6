import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Summary, writeSummary } from '../../runs/summary.js';
import { lockFolder } from '../../storage/lock.js';
import { attemptsFile } from '../attempts.js';
import { openDisplay } from '../display.js';
import { sweepLocally } from './local.js';

/** A run that was completed, as its own process would have written it. */
const finished: Summary = {
  version: 1,
  status: 'completed',
  id: '0123456789',
  name: 'bn',
  seed: 1,
  parameters: 1,
  epochs: { done: 4, total: 4 },
  steps: { done: 20, total: 20 },
  learningRate: 0.1,
  batch: { size: 2, workers: 1 },
  valError: { final: 30, medianLast5: 30, best: 30 },
  trainError: { final: 20 },
  trainLoss: { final: 1 },
  imagesPerSecond: 100,
  secondsTotal: 1,
  dataWaitShare: 0,
  dataset: { name: 'synthetic', official: true },
};

test('what somebody else has is waited for no longer than asked, and is not started twice', {
  timeout: 60_000,
}, async (t) => {
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
  assert.ok(performance.now() - since >= 300);
});

test('a dead sweep’s claim that another one is just taking is waited for', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-local-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const run = { cell: { key: 'bn', label: 'BN' }, seed: 1, folder: join(folder, 'bn', '1') };
  mkdirSync(run.folder, { recursive: true });
  const claim = join(folder, 'bn', '1.lock');
  writeFileSync(claim, '');
  utimesSync(claim, 0, 0);
  const guard = await lockFolder(join(folder, 'bn'), '1.lock.takeover');
  t.after(() => guard.release());
  const { outcomes } = await sweepLocally([run], {
    jobs: 1,
    machine: { cores: 1, devices: [] },
    command: { script: '/nowhere/to/be/started.js', args: [] },
    configOf: () => '',
    flags: [],
    failFast: false,
    display: openDisplay({ runs: [run], cost: () => 1, doneBefore: () => 0, quiet: true }),
    pollEvery: 20,
    patience: 100,
  });
  assert.equal(outcomes.size, 0);
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
  // Put in its place, as a takeover does: into the old file the first sweep writes its own name, every ten seconds.
  writeFileSync(`${claim}.new`, 'of another');
  renameSync(`${claim}.new`, claim);
  const told = '{"attempts":[]}';
  writeFileSync(attemptsFile(run.folder), told);
  mkdirSync(run.folder, { recursive: true });
  writeSummary(join(run.folder, 'summary.json'), finished);
  const columns =
    'epoch,step,images,learning_rate,train_loss,train_error,val_loss,val_error,images_per_second,seconds';
  const rows = [1, 2, 3, 4].map((epoch) => `${epoch},${5 * epoch},${10 * epoch},0.1,1,20,1,30,100,${epoch}`);
  writeFileSync(join(run.folder, 'curves.csv'), `${[columns, ...rows].join('\n')}\n`);
  writeFileSync(over, '');
  const { outcomes } = await sweeping;
  assert.equal(outcomes.get(run)?.kind, 'completed');
  assert.equal(readFileSync(attemptsFile(run.folder), 'utf8'), told);
});
