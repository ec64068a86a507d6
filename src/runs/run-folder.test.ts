import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../errors.js';
import { saveCheckpoint } from './checkpoint/checkpoint.js';
import { CurvesLog } from './curves.js';
import { collectEnvironment } from './environment.js';
import { describeRun, openRunFolder, restoreReplaced } from './run-folder.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-run-folder-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const newPath = () => join(scratch, 'results', String(count++));

const environment = await collectEnvironment({
  tensorflow: '2.21.0',
  engine: { variant: 'cpu', source: 'wheel' },
  device: 'CPU',
  threads: { intraOp: 1, interOp: 1 },
  data: {},
});

/** A run that was begun and interrupted. */
async function begun(): Promise<string> {
  const path = newPath();
  const folder = await openRunFolder(path, 'new');
  describeRun(folder, 'epochs: 3\n', environment);
  CurvesLog.open(folder.curves).close();
  saveCheckpoint(folder.checkpoints, { step: 1, sums: {}, tensors: {} }, { keep: 1 });
  await folder.lock.release();
  return path;
}

const refusal = (expected: RegExp) => (error: unknown) =>
  error instanceof UserError && error.exitCode === 2 && expected.test(`${error.place}: ${error.message}`);

test('a new folder is made, locked and described', async () => {
  const path = newPath();
  const folder = await openRunFolder(path, 'new');
  assert.equal(folder.begunWith, undefined);
  await assert.rejects(openRunFolder(path, 'resume'), refusal(/is writing here/));
  describeRun(folder, 'epochs: 3\n', environment);
  await folder.lock.release();
  assert.deepEqual(fs.readdirSync(path).sort(), ['config.yaml', 'environment.json']);
  assert.deepEqual(JSON.parse(fs.readFileSync(folder.environment, 'utf8')), environment);
});

test('a folder that holds a run is refused, taken up or begun anew', async () => {
  const path = await begun();
  await assert.rejects(
    openRunFolder(path, 'new'),
    refusal(/holds a run already \(.*config\.yaml.*curves\.csv/),
  );
  const resumed = await openRunFolder(path, 'resume');
  assert.equal(resumed.begunWith, 'epochs: 3\n');
  await resumed.lock.release();
  assert.equal(fs.readdirSync(resumed.checkpoints).length, 1);
  const anew = await openRunFolder(path, 'force');
  assert.equal(anew.begunWith, undefined);
  assert.deepEqual(fs.readdirSync(path).sort(), ['.tmp-replaced', 'run.lock']);
  describeRun(anew, 'epochs: 4\n', environment);
  await anew.lock.release();
  assert.deepEqual(fs.readdirSync(path).sort(), ['config.yaml', 'environment.json']);
});

test('force takes nothing away before the new run is described, killed in between or not', async () => {
  const path = await begun();
  const before = fs.readdirSync(path, { recursive: true }).sort();
  for (const put of ['restored', 'found later'] as const) {
    const folder = await openRunFolder(path, 'force');
    if (put === 'restored') restoreReplaced(path);
    await folder.lock.release();
    const again = await openRunFolder(path, 'resume');
    assert.equal(again.begunWith, 'epochs: 3\n', put);
    await again.lock.release();
    assert.deepEqual(fs.readdirSync(path, { recursive: true }).sort(), before, put);
  }
});

test('a detector’s pictures are a run’s own, and a report about it may stay', async () => {
  const path = await begun();
  fs.writeFileSync(join(path, 'examples.webp'), '');
  fs.writeFileSync(join(path, 'report.html'), '');
  const folder = await openRunFolder(path, 'force');
  describeRun(folder, 'epochs: 4\n', environment);
  await folder.lock.release();
  assert.deepEqual(fs.readdirSync(path).sort(), ['config.yaml', 'environment.json', 'report.html']);
});

test('resume begins a run where there is none, but not over remains without a configuration', async () => {
  const path = await begun();
  fs.rmSync(join(path, 'config.yaml'));
  await assert.rejects(openRunFolder(path, 'resume'), refusal(/no config\.yaml/));
  const fresh = await openRunFolder(newPath(), 'resume');
  assert.equal(fresh.begunWith, undefined);
  await fresh.lock.release();
});

test('what a process killed at the start left behind is no run', async () => {
  const path = newPath();
  fs.mkdirSync(path, { recursive: true });
  fs.writeFileSync(join(path, '.tmp-1-abc'), '');
  fs.writeFileSync(join(path, 'run.lock.0123456789abcdef'), '');
  await (await openRunFolder(path, 'new')).lock.release();
});

test('force deletes nothing that gnbench did not write', async () => {
  for (const foreign of [
    'thesis.tex',
    'checkpoints/notes.txt',
    'checkpoints/step-000000001/thesis.tex',
    'checkpoints/step-2',
  ]) {
    const path = await begun();
    fs.writeFileSync(join(path, foreign), 'years of work');
    const before = fs.readdirSync(path, { recursive: true }).sort();
    await assert.rejects(openRunFolder(path, 'force'), refusal(/what gnbench did not write/));
    assert.deepEqual(fs.readdirSync(path, { recursive: true }).sort(), before);
  }
});

test('force does not delete exported weights', async () => {
  for (const name of ['weights.safetensors', 'weights.timm.safetensors']) {
    const path = await begun();
    fs.writeFileSync(join(path, name), 'a week of training');
    const before = fs.readdirSync(path, { recursive: true }).sort();
    await assert.rejects(openRunFolder(path, 'force'), refusal(/holds exported weights \(weights\./));
    assert.deepEqual(fs.readdirSync(path, { recursive: true }).sort(), before);
    fs.rmSync(join(path, name));
    await (await openRunFolder(path, 'force')).lock.release();
  }
});

test('links inside the folder are not followed', async () => {
  const outside = join(scratch, 'outside');
  fs.mkdirSync(join(outside, 'step-000000001'), { recursive: true });
  fs.writeFileSync(join(outside, 'precious'), 'kept');
  for (const [name, target] of [
    ['checkpoints', outside],
    ['curves.csv', join(outside, 'precious')],
    ['config.yaml', join(outside, 'precious')],
    ['summary.json', join(outside, 'missing')],
  ]) {
    for (const mode of ['new', 'resume', 'force'] as const) {
      const path = newPath();
      fs.mkdirSync(path, { recursive: true });
      fs.symlinkSync(target, join(path, name));
      await assert.rejects(openRunFolder(path, mode), refusal(/symbolic link/));
    }
  }
  const replaced = newPath();
  fs.mkdirSync(replaced, { recursive: true });
  fs.symlinkSync(outside, join(replaced, '.tmp-replaced'));
  await assert.rejects(
    openRunFolder(replaced, 'resume'),
    refusal(/no folder of files that gnbench put there/),
  );
  const path = await begun();
  fs.symlinkSync(outside, join(path, 'checkpoints', 'step-000000009'));
  await assert.rejects(openRunFolder(path, 'force'), refusal(/did not write/));
  assert.deepEqual(fs.readdirSync(outside).sort(), ['precious', 'step-000000001']);
  assert.equal(fs.readFileSync(join(outside, 'precious'), 'utf8'), 'kept');
});

test('a path that cannot be a folder is refused and leaves nothing', async () => {
  const file = join(scratch, 'file');
  fs.writeFileSync(file, '');
  await assert.rejects(openRunFolder(file, 'new'), refusal(/file/));
  await assert.rejects(openRunFolder(join(file, 'a', 'b'), 'new'), refusal(/not a folder/));
  await assert.rejects(openRunFolder(join(scratch, 'x'.repeat(300)), 'new'), refusal(/too long/));
  await assert.rejects(openRunFolder('/proc/nothing/here', 'new'), refusal(/\/proc\/nothing\/here/));
});

test('a folder without the right to write is refused', async () => {
  const path = newPath();
  fs.mkdirSync(path, { recursive: true });
  fs.chmodSync(scratch, 0o755);
  fs.chmodSync(path, 0o555);
  // The administrator may write anywhere: become nobody for a moment.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid!(65534);
  try {
    await assert.rejects(openRunFolder(path, 'new'), refusal(/permission denied/));
    await assert.rejects(openRunFolder(join(path, 'a', 'b'), 'new'), refusal(/permission denied/));
  } finally {
    if (root) process.seteuid!(0);
  }
  assert.deepEqual(fs.readdirSync(path), []);
});

test('folders that were made for a run that cannot begin are taken back', async () => {
  const top = newPath();
  let path = top;
  // The folders can be made, the longer name of the lock cannot.
  while (path.length < 3900) path = join(path, 'x'.repeat(100));
  path = join(path, 'x'.repeat(4090 - path.length - 1));
  await assert.rejects(openRunFolder(path, 'new'), refusal(/too long/));
  assert.equal(fs.existsSync(top), false);
});
