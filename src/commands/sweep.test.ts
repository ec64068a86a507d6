import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import type { UserError } from '../errors.js';
import { loadExperiment, type Run } from '../experiments/experiment.js';
import { writeSummary } from '../runs/summary.js';
import { prepare } from '../sweep/prepare.js';
import { sweepOnSlurm } from '../sweep/sweep.js';
import { sweep } from './sweep.js';

const scratch = mkdtempSync(join(tmpdir(), 'gnbench-sweep-command-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const transfer = ['experiments/transfer-finetune.yaml', 'experiments/transfer-pretrain.yaml'];

test('a flag for the cluster without the cluster is a mistake, and no sweep on this machine', async () => {
  await assert.rejects(sweep(transfer, { slurm: ['time=1:00:00'] }), (error: UserError) => {
    assert.equal(error.place, '--slurm');
    return error.exitCode === 2;
  });
});

test('with --out, no run begins with weights that another sweep made', async () => {
  await assert.rejects(sweep(transfer, { out: scratch, dryRun: true }), (error: UserError) => {
    assert.match(error.message, /transfer-finetune begins with weights in results.transfer-pretrain/);
    assert.equal(error.place, '--out');
    return error.exitCode === 2;
  });
});

test('on a cluster, jobs that begin with weights wait for those that make them, however they were named', async (t) => {
  const list = join(scratch, 'submitted');
  const sbatch = join(scratch, 'sbatch');
  writeFileSync(sbatch, `#!/bin/sh\necho "$@" >> '${list}'\nwc -l < '${list}' | tr -d ' '\n`);
  chmodSync(sbatch, 0o755);
  const [path, before] = [process.env.PATH, process.cwd()];
  process.env.PATH = `${scratch}${delimiter}${path}`;
  const experiments = [];
  for (const file of transfer) experiments.push(await loadExperiment(file, { check: true }));
  const whole = mkdtempSync(join(scratch, 'clone-'));
  process.chdir(whole);
  t.after(() => {
    process.env.PATH = path;
    process.chdir(before);
  });
  const lines = await sweepOnSlurm({ experiments, failFast: false, quiet: true, flags: [], resources: [] });
  assert.deepEqual(
    lines.map((line) => line.replace(/job \d+/, 'job')),
    ['transfer-pretrain: job, 2 runs', 'transfer-finetune: job, 15 runs'],
  );
  const submitted = readFileSync(list, 'utf8').split('\n');
  const [first, second] = submitted.filter((line) => line !== '--version');
  assert.match(first, /--job-name=gnbench-transfer-pretrain /);
  assert.doesNotMatch(first, /--dependency/);
  const made = /job (\d+)/.exec(lines[0])![1];
  assert.match(second, new RegExp(`--job-name=gnbench-transfer-finetune .*--dependency=afterany:${made} `));

  // Taken out of the queue, it is submitted once more, and waits for what is queued since the first time.
  writeFileSync(join(scratch, 'squeue'), `#!/bin/sh\nprintf '${made} 0 PENDING\\n${made} 1 RUNNING\\n'\n`);
  chmodSync(join(scratch, 'squeue'), 0o755);
  const again = await sweepOnSlurm({ experiments, failFast: false, quiet: true, flags: [], resources: [] });
  assert.equal(again[0], 'transfer-pretrain: nothing left to submit');
  const last = readFileSync(list, 'utf8').split('\n').at(-2)!;
  assert.match(last, new RegExp(`--job-name=gnbench-transfer-finetune .*--dependency=afterany:${made} `));
});

const whole = { done: 1, total: 1 };

/** Leaves in a run's folder its summary as a completed one, without curves and weights. */
function finish(run: Run): void {
  mkdirSync(run.folder, { recursive: true });
  writeSummary(join(run.folder, 'summary.json'), {
    ...{ version: 1, status: 'completed', id: run.cell.id, name: 'x', seed: 1, parameters: 1, epochs: whole },
    ...{ steps: whole, learningRate: 1, batch: { size: 1, workers: 1 }, trainLoss: { final: 1 } },
    ...{ valError: { final: 1, medianLast5: 1, best: 1 }, trainError: { final: 1 }, imagesPerSecond: 1 },
    ...{ secondsTotal: 1, dataWaitShare: 0, dataset: { name: 'synthetic', official: true } },
  });
}

test('weights that a finished run no longer has are missed before anything starts', async () => {
  const folder = mkdtempSync(join(scratch, 'stages-'));
  const load = (name: string, axes: string) => {
    mkdirSync(join(folder, name));
    const file = join(folder, name, 'experiment.yaml');
    const base = 'base: { data: synthetic, model: resnet20, normalizer: batch, epochs: 1 }';
    writeFileSync(file, `name: ${name}\ntitle: x\n${base}\naxes: ${axes}\n`);
    return loadExperiment(file);
  };
  const first = await load('first', '{ normalizer: [batch] }');
  const [made] = first.runs;
  const second = await load('second', `{ init: [{ weights: ${made.folder}, head: new }] }`);
  finish(made);
  writeFileSync(join(made.folder, 'config.yaml'), '');
  await assert.rejects(prepare([first, second], { quiet: true }), /the run has no checkpoint here/);
});

test('a completed run that lost its curve is not said to have failed too often', async (t) => {
  const folder = mkdtempSync(join(scratch, 'cut-'));
  const file = join(folder, 'experiment.yaml');
  writeFileSync(
    file,
    'name: cut\ntitle: x\nbase: { data: synthetic, model: resnet20, epochs: 1 }\naxes: { normalizer: [batch] }\n',
  );
  const [run] = (await loadExperiment(file)).runs;
  finish(run);
  writeFileSync(join(run.folder, 'curves.csv'), '');
  let said = '';
  const [error, out] = [process.stderr, process.stdout].map((stream) =>
    t.mock.method(stream, 'write', (text: string) => {
      said += text;
      return true;
    }),
  );
  const exitCode = await sweep(file, {});
  for (const each of [error, out]) each.mock.restore();
  assert.equal(exitCode, 1);
  assert.match(said, /nothing is left to do as it is: .*restore the file, or delete the run’s folder/);
  assert.doesNotMatch(said, /attempts\.json/);
});
