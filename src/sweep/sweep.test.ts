import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { type Experiment, loadExperiment } from '../experiments/experiment.js';
import { snapshot } from '../experiments/snapshot.js';
import { lockOwner } from '../storage/lock.js';
import { mostFailures, readAttempts } from './attempts.js';
import { readStatus } from './status.js';

/** Four runs, for tests that need no more. */
const four = grid('[1, 2]', '[batch, layer]');
const fakeSweep = fileURLToPath(new URL('./testing/sweep.js', import.meta.url));

/** Three cells, four seeds. */
const twelve = grid('[1, 2, 3, 4]', '[batch, layer, none]');

function grid(seeds: string, normalizers: string): string {
  return `
title: a test
base: { data: synthetic, model: resnet20, epochs: 4 }
axes: { normalizer: ${normalizers} }
seeds: ${seeds}
`;
}

interface Place {
  file: string;
  experiment: Experiment;
}

/** An experiment with its results in a folder of its own, removed behind the test. */
async function place(t: { after(clean: () => void): void }, text = twelve): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-sweep-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'results'));
  const file = join(folder, 'results', 'experiment.yaml');
  // Read as a snapshot, so that the results stand beside it.
  writeFileSync(file, `name: test\n${text}`);
  return { file, experiment: await loadExperiment(file) };
}

function start(file: string, jobs: number, fake: object = {}, flags: string[] = []): ChildProcess {
  return spawn(process.execPath, [fakeSweep, file, String(jobs), ...flags], {
    env: { ...process.env, GNBENCH_FAKE: JSON.stringify(fake) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const ended = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode ?? child.signalCode)
    : new Promise<number | string | null>((resolve) =>
        child.once('exit', (code, signal) => resolve(code ?? signal)),
      );

const sweep = (...args: Parameters<typeof start>) => ended(start(...args));

async function states(experiment: Experiment): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of await readStatus(experiment)) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

const epochsDone = (experiment: Experiment) =>
  experiment.runs.map(({ folder }) =>
    readFileSync(`${folder}.epochs`, 'utf8').trim().split('\n').map(Number),
  );

/** Each run's curves without the columns of time. */
const curves = (experiment: Experiment) =>
  experiment.runs.map(({ folder, cell, seed }) => {
    const rows = parse(readFileSync(join(folder, 'curves.csv'), 'utf8'), { columns: true }) as Record<
      string,
      string
    >[];
    return [cell.key, seed, rows.map(({ seconds: _, images_per_second: __, ...rest }) => rest)];
  });

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await condition()); await sleep(10)) {
    assert.ok(Date.now() < deadline, `in vain waited until ${what}`);
  }
}

test('does every run once, and nothing at the second start', async (t) => {
  const { file, experiment } = await place(t, four);
  assert.equal(await sweep(file, 2), 0);
  assert.deepEqual(await states(experiment), { done: 4 });
  assert.equal(await sweep(file, 2), 0);
  assert.ok(epochsDone(experiment).every((epochs) => epochs.join() === '1,2,3,4'));
  assert.ok(experiment.runs.every(({ folder }) => readAttempts(folder).length === 1));
});

test('killed five times at random moments, it ends with what an undisturbed sweep has', async (t) => {
  const { file, experiment } = await place(t);
  const undisturbed = await place(t);
  assert.equal(await sweep(undisturbed.file, 2), 0);
  for (let kill = 0; kill < 5; kill++) {
    const child = start(file, 2, { stepMs: 10 });
    // From before its first run to the middle of its work.
    await sleep(300 + ((kill * 7919) % 5) * 150);
    child.kill('SIGKILL');
    await ended(child);
  }
  assert.notDeepEqual(await states(experiment), { done: 12 }, 'it was over before the last kill');
  assert.equal(await sweep(file, 2), 0);
  assert.deepEqual(await states(experiment), { done: 12 });
  assert.ok(
    epochsDone(experiment).every((epochs) => epochs.join() === '1,2,3,4'),
    'an epoch was done twice',
  );
  assert.deepEqual(curves(experiment), curves(undisturbed.experiment));
});

test('a killed sweep leaves no child running', async (t) => {
  const { file, experiment } = await place(t, four);
  const child = start(file, 2, { stepMs: 100 });
  const running = () =>
    experiment.runs.map(({ folder }) => lockOwner(folder)?.pid).filter((pid) => pid !== undefined);
  await until(() => running().length === 2, 'two runs had begun');
  const pids = running();
  child.kill('SIGKILL');
  await until(() => pids.every((pid) => !existsSync(`/proc/${pid}`)), 'they were gone');
  assert.equal((await states(experiment)).interrupted, 2);
});

test('two sweeps on one folder share the work', async (t) => {
  const { file, experiment } = await place(t);
  assert.deepEqual(await Promise.all([sweep(file, 1), sweep(file, 1)]), [0, 0]);
  assert.deepEqual(await states(experiment), { done: 12 });
  assert.ok(epochsDone(experiment).every((epochs) => epochs.join() === '1,2,3,4'));
  assert.ok(experiment.runs.every(({ folder }) => readAttempts(folder).length === 1));
});

test('a sweep takes up what another one that died was at', async (t) => {
  const { file, experiment } = await place(t);
  const first = start(file, 2, { stepMs: 30 });
  await until(async () => (await states(experiment)).running === 2, 'two runs had begun');
  const second = start(file, 12);
  await sleep(100);
  first.kill('SIGKILL');
  assert.equal(await ended(second), 0);
  assert.deepEqual(await states(experiment), { done: 12 });
});

test('what diverges, crashes, is killed or runs out of memory stops no other run, and is told', async (t) => {
  const { file, experiment } = await place(
    t,
    `
title: a test
base: { data: synthetic, model: resnet20, epochs: 3 }
axes: { normalizer: [batch, layer, instance, none, { name: group, groups: 2 }, { name: group, groups: 4 }] }
`,
  );
  const does = { bn: 'diverge', ln: 'crash', in: 'killed', none: 'memory', 'gn-g2': 'refuse' };
  assert.equal(await sweep(file, 2, { does }), 1);
  const statuses = await readStatus(experiment);
  assert.deepEqual(
    statuses.map(({ run, state, pending, note }) => `${run.cell.config.name}: ${state}, ${pending}, ${note}`),
    [
      'bn: diverged, false, at step 7',
      'ln: failed, true, crashed at step 6: ended with SIGABRT',
      'in: failed, true, killed at step 6: killed from outside',
      'none: failed, true, out of memory at step 6: Error: OOM when allocating tensor',
      'gn-g2: failed, true, refused: no such data',
      'gn-g4: done, false, undefined',
    ],
  );
});

test('a run that fails is tried again at the next starts, from its checkpoint, and three times at most', async (t) => {
  const { file, experiment } = await place(t, four);
  const does = { bn: 'killed' };
  for (let tries = 0; tries < mostFailures; tries++) assert.equal(await sweep(file, 4, { does }), 1);
  const attempts = () => experiment.runs.map(({ folder }) => readAttempts(folder).length);
  const expected = experiment.runs.map(({ cell }) =>
    cell.config.normalizer.name === 'batch' ? mostFailures : 1,
  );
  assert.deepEqual(attempts(), expected);
  assert.equal(await sweep(file, 4, { does }), 1, 'it stays a failure');
  assert.deepEqual(attempts(), expected, 'it is not tried a fifth time');
  assert.deepEqual(await states(experiment), { done: 2, failed: 2 });
});

test('a finished run whose curve was emptied is not called done, and the way out is said', async (t) => {
  const { file, experiment } = await place(t, four);
  assert.equal(await sweep(file, 2), 0);
  const [run] = experiment.runs;
  writeFileSync(join(run.folder, 'curves.csv'), '');
  const status = async () => (await readStatus(experiment)).find((one) => one.run === run)!;
  const { state, pending, note } = await status();
  assert.deepEqual([state, pending], ['failed', false]);
  assert.match(note!, /curves\.csv cannot be read .*delete the run’s folder and sweep again/);
  assert.equal(await sweep(file, 2), 1);
  rmSync(run.folder, { recursive: true });
  assert.equal(await sweep(file, 2), 0);
  assert.equal((await status()).state, 'done');
});

test('a run’s log is not written through a link', async (t) => {
  const { file, experiment } = await place(t, four);
  const [run] = experiment.runs;
  const outside = join(file, '..', '..', 'precious');
  writeFileSync(outside, 'kept');
  mkdirSync(join(run.folder, '..'), { recursive: true });
  symlinkSync(outside, `${run.folder}.log`);
  await sweep(file, 1);
  assert.equal(readFileSync(outside, 'utf8'), 'kept');
});

test('a run that failed once goes on from its checkpoint', async (t) => {
  const { file, experiment } = await place(t, four);
  assert.equal(await sweep(file, 4, { does: { ln: 'fail-once' } }), 1);
  assert.equal(await sweep(file, 4, { does: { ln: 'fail-once' } }), 0);
  assert.ok(epochsDone(experiment).every((epochs) => epochs.join() === '1,2,3,4'));
});

test('Ctrl-C saves every run and ends with 130; the next start goes on', async (t) => {
  const { file, experiment } = await place(t, four);
  const child = start(file, 2, { stepMs: 50 });
  await until(async () => (await states(experiment)).running === 2, 'two runs had begun');
  child.kill('SIGINT');
  assert.equal(await ended(child), 130);
  const stopped = experiment.runs.map(({ folder }) => readAttempts(folder).at(-1)?.outcome).filter(Boolean);
  assert.deepEqual(stopped, ['interrupted', 'interrupted']);
  assert.equal((await states(experiment)).interrupted, 2);
  assert.equal(await sweep(file, 4), 0);
  assert.ok(epochsDone(experiment).every((epochs) => epochs.join() === '1,2,3,4'));
});

test('a second Ctrl-C ends it at once, with its children', async (t) => {
  const { file, experiment } = await place(t, four);
  const child = start(file, 2, { stepMs: 3000 });
  const running = () =>
    experiment.runs.map(({ folder }) => lockOwner(folder)?.pid).filter((pid) => pid !== undefined);
  await until(() => running().length === 2, 'two runs had begun');
  const pids = running();
  const since = Date.now();
  child.kill('SIGINT');
  await sleep(200);
  child.kill('SIGINT');
  assert.equal(await ended(child), 130);
  await until(() => pids.every((pid) => !existsSync(`/proc/${pid}`)), 'the children were gone');
  assert.ok(Date.now() - since < 2500, 'it waited for a step');
});

test('--fail-fast starts nothing after a failure, and saves what runs', async (t) => {
  const { file, experiment } = await place(t, four);
  assert.equal(
    await sweep(file, 2, { stepMs: 500, slow: { bn: 5 }, does: { bn: 'diverge-beside' } }, ['--fail-fast']),
    1,
  );
  const found = await states(experiment);
  assert.equal(found.diverged, 1);
  assert.equal(found.interrupted, 1);
  assert.equal(found.waiting, 2);
});

test('each run is started with the threads it was begun with', async (t) => {
  const { file, experiment } = await place(t, four);
  const child = start(file, 2, { stepMs: 50 });
  const begun = () => experiment.runs.filter(({ folder }) => existsSync(join(folder, 'config.yaml'))).length;
  await until(() => begun() === 2, 'two runs had begun');
  child.kill('SIGTERM');
  assert.equal(await ended(child), 143);
  assert.equal(await sweep(file, 1), 0);
  const threads = experiment.runs.map(
    ({ folder }) => /intraOpThreads: (\d+)/.exec(readFileSync(join(folder, 'config.yaml'), 'utf8'))?.[1],
  );
  assert.equal(threads.filter((count) => count === '1').length, 2);
});

test('a results folder of another experiment is refused, and left as it is', async (t) => {
  const { experiment } = await place(t, four);
  await snapshot(experiment);
  const before = readdirSync(experiment.folder);
  const refused = { message: /those of experiment "test": a test/ };
  await assert.rejects(snapshot({ ...experiment, name: 'other' }), refused);
  // The same name, but nothing else in common.
  await assert.rejects(snapshot({ ...experiment, title: 'other', cells: [] }), refused);
  assert.deepEqual(readdirSync(experiment.folder), before);
  // An edited experiment keeps its folder.
  await snapshot({ ...experiment, title: 'other' });
  const foreign = join(experiment.folder, experiment.cells[0].key);
  await assert.rejects(snapshot({ ...experiment, folder: foreign }), /holds no experiment, and is not empty/);
});

test('a full disk stops the sweep with a sentence; with room again it goes on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-full-'));
  t.after(() => {
    spawnSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  const mount = (...args: string[]) => spawnSync('mount', [...args, folder]).status === 0;
  if (!mount('-t', 'tmpfs', '-o', 'size=160k', 'none'))
    return t.skip('needs the right to mount a small disk');
  const file = join(folder, 'experiment.yaml');
  writeFileSync(file, `name: test\n${twelve}`);
  const experiment = await loadExperiment(file);
  const child = spawn(process.execPath, [fakeSweep, file, '2'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  child.stderr.on('data', (chunk) => {
    told += chunk;
  });
  assert.equal(await ended(child), 1);
  assert.match(told, /no space left on the device \(ENOSPC\)|the disk is full/);
  const before = await states(experiment);
  assert.ok(before.done < 12 && !before.diverged, JSON.stringify(before));
  assert.ok(mount('-o', 'remount,size=16m'));
  assert.equal(await sweep(file, 4), 0);
  assert.deepEqual(await states(experiment), { done: 12 });
});

/** Fine-tuning first in the order of the runs, each from the pre-training with its own seed. */
async function fineTuning(t: Parameters<typeof place>[0]) {
  const textFrom = (weights: string) => `
title: a test
base: { data: synthetic, model: resnet20, normalizer: batch, epochs: 4 }
axes: { init: [{ weights: "${weights}" }, scratch] }
seeds: [1, 2]
`;
  const { file, experiment } = await place(t, textFrom('nowhere'));
  const preTraining = experiment.runs.find(({ cell }) => !cell.config.init)!;
  writeFileSync(file, `name: test\n${textFrom(join(preTraining.folder, '..', '{seed}'))}`);
  return { file, experiment: await loadExperiment(file) };
}

test('a run that begins with the weights of another one of the sweep waits until that is completed', async (t) => {
  const { file, experiment } = await fineTuning(t);
  assert.equal(await sweep(file, 2), 0);
  for (const seed of [1, 2]) {
    const [tuned, trained] = [true, false].map(
      (withWeights) =>
        experiment.runs.find(
          ({ cell, seed: its }) => its === seed && Boolean(cell.config.init) === withWeights,
        )!,
    );
    const [begun] = readAttempts(tuned.folder);
    const [before] = readAttempts(trained.folder);
    assert.ok(before.endedAt! <= begun.startedAt, `${before.endedAt} and ${begun.startedAt}`);
  }
});

test('a run whose pre-training failed is left out, and the sweep says that it has not finished', async (t) => {
  const { file, experiment } = await fineTuning(t);
  const name = experiment.runs.find(({ cell }) => !cell.config.init)!.cell.config.name;
  assert.equal(await sweep(file, 2, { does: { [name]: 'diverge' } }), 1);
  assert.deepEqual(await states(experiment), { diverged: 2, waiting: 2 });
});
