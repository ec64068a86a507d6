import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadExperiment } from '../experiments/experiment.js';
import { curveColumns } from '../runs/curves.js';
import { type Summary, writeSummary } from '../runs/summary.js';
import { classificationMeasures } from '../tasks/metric.js';
import { dryRun, dryRunText } from './dry-run.js';
import { estimateRun } from './estimate.js';
import { readStatus } from './status.js';

const machine = { jobs: 1, cores: 2 };

test('estimates from defaults: longer for smaller batches, for deeper models and for more runs at a time', async () => {
  const out = join(tmpdir(), 'gnbench-no-results');
  const experiment = await loadExperiment('experiments/reproduction-a-one-worker.yaml', { out });
  const seconds = (name: string, options = machine) =>
    estimateRun(experiment, experiment.cells.find(({ config }) => config.name === name)!, options).seconds;
  // 1.5 million images trained and 300,000 validated.
  assert.ok(Math.abs(seconds('bn-b32') - (1_499_520 + 100_000) / 806) < 10);
  assert.ok(seconds('bn-b2') > 1.1 * seconds('bn-b32'));
  assert.equal(seconds('bn-b2', { jobs: 2, cores: 2 }), 2 * seconds('bn-b2'));
  assert.equal(seconds('bn-b2', { jobs: 1, cores: 4 }), seconds('bn-b2') / 2);
  const deep = await loadExperiment('experiments/reproduction-a-one-worker.yaml', {
    out,
    set: ['model=resnet110'],
  });
  const [cell] = deep.cells;
  assert.ok(estimateRun(deep, cell, machine).seconds > 5 * seconds('bn-b32'));
});

test('a finished run of the cell goes before a default', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-estimate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const experiment = await loadExperiment('experiments/reproduction-a-one-worker.yaml', { out: folder });
  const [bn32, gn32] = experiment.cells;
  const run = experiment.runFolder(bn32, 2);
  mkdirSync(run, { recursive: true });
  writeSummary(join(run, 'summary.json'), summary(1234));
  assert.deepEqual(estimateRun(experiment, bn32, machine), { seconds: 1234, from: 'runs of this cell' });
  assert.equal(estimateRun(experiment, gn32, machine).from, 'a default');
  // Paused in its second epoch.
  const rows = [40, 940, 980].map(
    (seconds, index) => `${index + 1},${index + 1},32,0.1,1,50,1,50,400,${seconds}`,
  );
  writeFileSync(
    join(run, 'curves.csv'),
    [curveColumns(classificationMeasures).join(), ...rows, ''].join('\n'),
  );
  writeSummary(join(run, 'summary.json'), { ...summary(980), epochs: { done: 3, total: 3 } });
  assert.equal(estimateRun(experiment, bn32, machine).seconds, 120);
});

test('of a run that was stopped within an epoch only the steps that it has done count', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-dry-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'experiment.yaml');
  writeFileSync(
    file,
    'name: x\ntitle: x\nbase: { data: synthetic, model: resnet20, epochs: 1, evaluate: { everySteps: 5 } }\naxes: { normalizer: [batch] }\n',
  );
  const experiment = await loadExperiment(file);
  const run = experiment.runFolder(experiment.cells[0], 1);
  mkdirSync(run, { recursive: true });
  const begun = { ...summary(1), status: 'interrupted' as const, steps: { done: 5, total: 1000 } };
  writeSummary(join(run, 'summary.json'), begun);
  const columns = 'epoch,step,images,learning_rate,train_loss,train_error,val_loss,val_error';
  writeFileSync(join(run, 'curves.csv'), `${columns},images_per_second,seconds\n1,5,10,0.1,1,2,1,2,100,3\n`);
  const [status] = await readStatus(experiment);
  assert.deepEqual([status.epochs, status.share], [{ done: 0, total: 1 }, 0.005]);
  const { cells } = await dryRun(experiment, { jobs: 1, cores: 1 });
  assert.equal(cells[0].secondsEach[0], 0.995 * cells[0].secondsPerRun);
});

test('a dry run tells every cell’s rate, steps and time, and what is left', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-dry-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const experiment = await loadExperiment('experiments/table2-batch-size-small.yaml', { out: folder });
  const run = experiment.runFolder(experiment.cells[0], 1);
  mkdirSync(run, { recursive: true });
  writeSummary(join(run, 'summary.json'), summary(100));
  const plan = await dryRun(experiment, { jobs: 2, cores: 2 });
  assert.deepEqual(
    plan.cells.slice(0, 4).map(({ label, rate, totalSteps, toDo }) => [label, rate, totalSteps, toDo]),
    [
      ['BN, batch 32', 0.1, 3744, 0],
      ['GN, batch 32', 0.1, 3744, 1],
      ['BN, batch 2', 0.00625, 60_000, 1],
      ['GN, batch 2', 0.00625, 60_000, 1],
    ],
  );
  const left = plan.cells.reduce((sum, cell) => sum + cell.toDo * cell.secondsPerRun, 0) / 2;
  assert.ok(Math.abs(plan.secondsLeft - left) < 1e-6);
  assert.ok(plan.secondsLeft < 3600, 'the small one is promised within an hour');
  const text = dryRunText(experiment.title, plan);
  assert.match(text, /gn-g8-b2-[0-9a-f]{10} +0\.00625 +2 +60000 +1 of 1 .*a default/);
  assert.match(text, /about \d+ min .* 2 runs at a time/);
});

function summary(secondsTotal: number): Summary {
  return {
    version: 1,
    status: 'completed',
    id: 'x',
    name: 'x',
    seed: 1,
    parameters: 1,
    epochs: { done: 1, total: 1 },
    steps: { done: 1, total: 1 },
    learningRate: 1,
    batch: { size: 1, workers: 1 },
    valError: { final: null, medianLast5: null, best: null },
    trainError: { final: null },
    trainLoss: { final: null },
    imagesPerSecond: null,
    dataWaitShare: null,
    secondsTotal,
    dataset: { name: 'cifar10', official: true },
  };
}
