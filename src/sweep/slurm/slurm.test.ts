import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Experiment, loadExperiment } from '../../experiments/experiment.js';
import { readAttempts } from '../attempts.js';
import { type RunStatus, readStatus } from '../status.js';
import { sweepOnSlurm } from '../sweep.js';
import { readQueue } from './slurm.js';

const skip = process.env.GNBENCH_SLURM
  ? false
  : 'needs root and Debian’s slurm-wlm and munge: .ci/slurm.sh install, then GNBENCH_SLURM=1';
const cluster = fileURLToPath(new URL('../../../.ci/slurm.sh', import.meta.url));
const bin = fileURLToPath(new URL('../../../bin/gnbench.js', import.meta.url));
const task = fileURLToPath(new URL('../testing/task.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gnbench-slurm-'));

before(() => {
  if (skip) return;
  const answer = execFileSync(cluster, ['start', join(folder, 'cluster')], { encoding: 'utf8' });
  process.env.SLURM_CONF = answer.trim();
});

after(() => {
  if (!skip) execFileSync(cluster, ['stop', join(folder, 'cluster')]);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function experimentIn(name: string, text: string): Promise<Experiment> {
  const results = join(folder, name);
  mkdirSync(results);
  writeFileSync(join(results, 'experiment.yaml'), `name: ${name}\ntitle: a test\n${text}`);
  return loadExperiment(join(results, 'experiment.yaml'));
}

const submit = (experiment: Experiment, resources: string[] = []) =>
  sweepOnSlurm({
    experiments: [experiment],
    failFast: false,
    quiet: true,
    flags: [],
    resources,
    taskCommand: [process.execPath, task],
  });

async function until(
  experiment: Experiment,
  what: string,
  seconds: number,
  holds: (statuses: RunStatus[]) => boolean,
): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; ; await sleep(500)) {
    const statuses = await readStatus(experiment, await readQueue(experiment));
    if (holds(statuses)) return;
    const found = statuses.map(({ run, state, note }) => `${run.cell.key} ${state} ${note ?? ''}`).join('\n');
    assert.ok(Date.now() < deadline, `in vain waited for ${what}:\n${found}\n${logs(experiment)}`);
  }
}

const logs = (experiment: Experiment) =>
  execFileSync('sh', ['-c', 'tail -n 5 "$0"/slurm/*/*.log 2>&1 || true', experiment.folder], {
    encoding: 'utf8',
  });

const idle = (statuses: RunStatus[]) =>
  statuses.every(({ state }) => state !== 'queued' && state !== 'running');

test('a sweep on a cluster: one killed, one cancelled, one at its time limit; every run ends done, once', {
  skip,
}, async () => {
  const experiment = await experimentIn(
    'four',
    `
base: { data: synthetic, model: resnet20, epochs: 4 }
axes: { normalizer: [none, batch, layer, instance] }
slurm: { time: "2", warnSeconds: 30, cpus: 1 }
`,
  );
  // 20 steps: "none" would take the whole of its two minutes, and is warned at least half a minute before.
  process.env.GNBENCH_FAKE = JSON.stringify({ slow: { none: 6000, in: 1500 }, does: { bn: 'fail-once' } });
  const [none, , , instance] = experiment.runs;
  assert.match((await submit(experiment))[0], /^four: job \d+, 4 runs$/);
  assert.deepEqual(
    await submit(experiment),
    ['four: nothing left to submit'],
    'what is in the queue is not submitted again',
  );
  await until(experiment, 'instance normalization to run', 60, (statuses) =>
    statuses.some(({ run, state, epochs }) => run === instance && state === 'running' && epochs.done > 0),
  );
  execFileSync('scancel', [`${newestJob(experiment)}_3`]);
  await until(experiment, 'the time limit to come near', 150, () =>
    readAttempts(none.folder).some(({ outcome }) => outcome === 'interrupted'),
  );
  await until(experiment, 'an empty queue', 150, idle);
  const first = await readStatus(experiment);
  assert.deepEqual(
    first.map(({ state }) => state),
    ['done', 'failed', 'done', 'interrupted'],
    logs(experiment),
  );
  assert.match((await submit(experiment))[0], /2 runs$/);
  // A run is done as soon as it says so itself; a moment later its task has written down that it was.
  const noted = ({ folder: run }: { folder: string }) => readAttempts(run).at(-1)?.outcome === 'completed';
  await until(
    experiment,
    'all to be done and noted',
    60,
    (statuses) => statuses.every(({ state }) => state === 'done') && experiment.runs.every(noted),
  );
  for (const { folder: run } of experiment.runs) {
    assert.deepEqual(readFileSync(`${run}.epochs`, 'utf8'), '1\n2\n3\n4\n', run);
  }
  const outcomes = experiment.runs.map(({ folder: run }) => readAttempts(run).map(({ outcome }) => outcome));
  assert.deepEqual(outcomes, [
    ['interrupted', 'completed'],
    ['killed', 'completed'],
    ['completed'],
    ['interrupted', 'completed'],
  ]);
});

function newestJob(experiment: Experiment): string {
  const [file] = execFileSync('sh', ['-c', 'ls -t "$0"/slurm/*/submission.json', experiment.folder], {
    encoding: 'utf8',
  }).split('\n');
  return JSON.parse(readFileSync(file, 'utf8')).jobId;
}

test('gnbench itself: a real run as a job, and what status says of it', { skip }, async () => {
  const experiment = await experimentIn(
    'real',
    `
base: { data: { name: synthetic, trainSubset: 64, valSubset: 32 }, model: resnet20, batch: { size: 16 }, epochs: 2 }
axes: { normalizer: [layer] }
`,
  );
  const gnbench = (...args: string[]) =>
    execFileSync(process.execPath, [bin, ...args, experiment.file], { encoding: 'utf8' });
  assert.match(gnbench('sweep', '--launcher', 'slurm', '--jobs', '1', '--quiet'), /^real: job \d+, 1 run$/m);
  await until(experiment, 'it to be done', 120, ([{ state }]) => state === 'done');
  const { counts, runs } = JSON.parse(gnbench('status', '--json'));
  assert.equal(counts.done, 1);
  assert.deepEqual(runs[0].epochs, { done: 2, total: 2 });
  assert.match(gnbench('sweep', '--launcher', 'slurm', '--quiet'), /nothing left to submit/);
});

test('Slurm’s refusal is told in its own words, and nothing is lost', { skip }, async () => {
  const experiment = await experimentIn(
    'refused',
    'base: { data: synthetic, model: resnet20 }\naxes: { normalizer: [batch] }\n',
  );
  await assert.rejects(submit(experiment, ['partition=nowhere']), (error: Error & { exitCode?: number }) => {
    assert.match(error.message, /Slurm refused the job: .*invalid partition/i);
    assert.equal(error.exitCode, 1);
    return true;
  });
  assert.deepEqual(
    (await readStatus(experiment)).map(({ state }) => state),
    ['waiting'],
  );
});
