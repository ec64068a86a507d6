import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadExperiment } from '../../experiments/experiment.js';
import { slurmSchema } from '../../experiments/schema.js';
import { resourcesOf } from './resources.js';
import { batchScript, checkTime, sbatchArguments, timeSeconds } from './script.js';
import { submitToSlurm } from './slurm.js';

const resources = slurmSchema.parse({});

test('the batch script becomes gnbench, whatever its paths hold', (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gnbench it's $HOME `x` "));
  t.after(() => rmSync(folder, { recursive: true }));
  const [print, script] = [join(folder, 'print.js'), join(folder, 'job.sh')];
  writeFileSync(print, 'console.log(JSON.stringify([process.ppid, ...process.argv.slice(2)]))');
  writeFileSync(script, batchScript([process.execPath, print, `${folder}/tasks.json`]));
  const env = { ...process.env, SLURM_ARRAY_TASK_ID: '7' };
  const [parent, ...rest] = JSON.parse(execFileSync('sh', [script], { env, encoding: 'utf8' }));
  assert.deepEqual(rest, [`${folder}/tasks.json`, '7']);
  assert.equal(parent, process.pid, 'a shell stands between Slurm and gnbench');
});

test('asks Slurm for an array, a warning and a requeue', () => {
  const job = { name: 'table2', count: 30, folder: '/here', logs: '/logs', script: '/job.sh' };
  const args = sbatchArguments({ ...resources, maxRunning: 8, gpus: 1, partition: 'gpu', memory: '4G' }, job);
  for (const expected of [
    '--array=0-29%8',
    '--signal=B:USR2@120',
    '--requeue',
    '--gres=gpu:1',
    '--partition=gpu',
    '--mem=4G',
  ]) {
    assert.ok(args.includes(expected), `${expected} is not in ${args.join(' ')}`);
  }
  assert.equal(args.at(-1), '/job.sh');
  assert.ok(sbatchArguments(resources, job).includes('--array=0-29'));
  assert.ok(!sbatchArguments(resources, job).some((word) => word.startsWith('--dependency')));
  const waiting = sbatchArguments(resources, { ...job, after: ['7', '8'] });
  assert.ok(waiting.includes('--dependency=afterany:7:8'), 'for those that make its weights');
});

test('reads Slurm’s time limits', () => {
  const times: Record<string, number> = {
    2: 120,
    '90:30': 90 * 60 + 30,
    '12:00:00': 12 * 3600,
    '1-2': 26 * 3600,
    '1-02:30': 26.5 * 3600,
    '1-00:00:01': 86_401,
  };
  for (const [text, seconds] of Object.entries(times)) assert.equal(timeSeconds(text), seconds, text);
});

test('refuses a time limit that leaves no time before the warning', () => {
  assert.throws(() => checkTime({ ...resources, time: '3', warnSeconds: 120 }), /no time before the warning/);
  checkTime({ ...resources, time: '4', warnSeconds: 120 });
});

test('--slurm overrides what the experiment asks for', () => {
  assert.equal(resourcesOf(resources, ['partition=gpu', 'cpus=8']).cpus, 8);
  assert.equal(resourcesOf(resources, [], 3).maxRunning, 3);
  const { time, memory } = resourcesOf(resources, ['time=30', 'memory=4096']);
  assert.deepEqual([time, memory], ['30', '4096']);
  assert.throws(() => resourcesOf(resources, ['account=0123']), { place: '--slurm account' });
  assert.throws(() => resourcesOf(resources, ['partitoin=gpu']), {
    message: /unknown key .*partitoin.*partition/,
    place: '--slurm partitoin',
  });
  assert.throws(() => resourcesOf(resources, ['cpus=many']), { place: '--slurm cpus' });
});

test('without Slurm it says so', async (t) => {
  const path = process.env.PATH;
  t.after(() => {
    process.env.PATH = path;
  });
  process.env.PATH = '/nowhere';
  const experiment = await loadExperiment('experiments/table1-normalizers.yaml');
  const options = { runs: experiment.runs, resources, configOf: () => '', flags: [], taskCommand: [] };
  await assert.rejects(submitToSlurm({ ...experiment, folder: '/nowhere' }, options), {
    message: /sbatch cannot be run/,
    fix: /--launcher local/,
    exitCode: 2,
  });
});
