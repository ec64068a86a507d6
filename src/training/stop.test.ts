/** A running `gnbench run` is asked to stop, stopped by a full disk, and met by a second one on the same folder. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadCheckpoint } from '../runs/checkpoint/checkpoint.js';
import { readCurves, readSteps } from '../runs/curves.js';
import { readSummary } from '../runs/summary.js';

const commandLine = fileURLToPath(new URL('../cli.js', import.meta.url));
const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-stop-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const newFolder = () => join(scratch, String(count++));

const stepsPerEpoch = 50;
const config = join(scratch, 'stop.yaml');
fs.writeFileSync(
  config,
  `model: { name: resnet20 }
normalizer: { name: group, groups: 8 }
data: { name: synthetic, trainSubset: 200, valSubset: 1000 }
batch: { size: 4 }
epochs: 50
evaluate: { batchSize: 10 }
log: { everySteps: 1 }
`,
);

function start(folder: string, ...flags: string[]) {
  const child = spawn(process.execPath, [commandLine, 'run', config, '--out', folder, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, errors }));
  return { child, ended };
}

/** Waits until so many steps are in steps.csv. */
async function untilStep(folder: string, step: number, ended: Promise<{ errors: string }>): Promise<void> {
  let over: string | undefined;
  void ended.then(({ errors }) => {
    over = errors;
  });
  const file = join(folder, 'steps.csv');
  while (!fs.existsSync(file) || fs.readFileSync(file, 'latin1').split('\n').length < step + 2) {
    assert.equal(over, undefined, 'it ended before');
    await sleep(5);
  }
}

for (const [signal, code, at] of [
  ['SIGINT', 130, 10],
  ['SIGTERM', 143, stepsPerEpoch],
  ['SIGUSR1', 75, 20],
  ['SIGUSR2', 75, stepsPerEpoch + 10],
] as const) {
  const when = at === stepsPerEpoch ? 'the evaluation' : `step ${at}`;
  test(`${signal} about ${when}: a checkpoint of the last step, exit code ${code}`, async () => {
    const folder = newFolder();
    const { child, ended } = start(folder);
    await untilStep(folder, at, ended);
    child.kill(signal);
    const { code: exitCode, errors } = await ended;
    assert.equal(exitCode, code, errors);
    assert.match(errors, new RegExp(`${signal}: finishing the step`));
    const summary = readSummary(join(folder, 'summary.json'));
    assert.equal(summary.status, 'interrupted');
    const checkpoint = loadCheckpoint(join(folder, 'checkpoints'), assert.fail);
    const steps = readSteps(join(folder, 'steps.csv'));
    assert.equal(checkpoint?.step, steps.length);
    assert.equal(summary.steps.done, steps.length);
    assert.ok(steps.length >= at);
    const rows = readCurves(join(folder, 'curves.csv'));
    assert.equal(rows.length, Math.ceil(steps.length / stepsPerEpoch) - 1);
    assert.ok(!fs.existsSync(join(folder, 'run.lock')));
  });
}

test('a second run on the folder is refused with the first one’s process, whatever it asks for', async () => {
  const folder = newFolder();
  const { child, ended } = start(folder);
  await untilStep(folder, 1, ended);
  for (const flags of [[], ['--resume'], ['--force']]) {
    const second = await start(folder, ...flags).ended;
    assert.equal(second.code, 2);
    assert.match(second.errors, new RegExp(`process ${child.pid} on .* is writing here`));
  }
  child.kill('SIGTERM');
  assert.equal((await ended).code, 143);
});

test('a run whose lock was taken over while it slept writes nothing more', async () => {
  const folder = newFolder();
  const { child, ended } = start(folder);
  await untilStep(folder, 2 * stepsPerEpoch + 10, ended);
  child.kill('SIGSTOP');
  const lock = join(folder, 'run.lock');
  const other = '{"pid":1,"host":"elsewhere","space":"another","started":"then"}\n';
  fs.writeFileSync(`${lock}.other`, other);
  fs.renameSync(`${lock}.other`, lock);
  const contents = () =>
    fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => fs.statSync(join(folder, name)).isFile())
      .map((name) => [name, fs.readFileSync(join(folder, name), 'latin1')]);
  const before = contents();
  child.kill('SIGCONT');
  const { code, errors } = await ended;
  assert.equal(code, 1, errors);
  assert.match(errors, /no longer holds the run/);
  assert.deepEqual(
    contents().map(([name]) => name),
    before.map(([name]) => name),
  );
  assert.ok(contents().every(([, content], index) => content === before[index][1]));
});

test('a full disk ends the run loudly and keeps its state; with space it goes on', async (context) => {
  const disk = newFolder();
  fs.mkdirSync(disk);
  const mount = (options: string) =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'gnbench-test', disk]).status === 0;
  // Two checkpoints of 2.2 MB fit, the third beside them does not.
  if (!mount('size=5500k')) {
    context.skip('a small disk can only be made by the administrator');
    return;
  }
  try {
    const folder = join(disk, 'run');
    const full = await start(folder, '--set', 'checkpoint.everySteps=5').ended;
    assert.equal(full.code, 1, full.errors);
    assert.match(
      full.errors,
      /checkpoints: could not save the checkpoint of step 15: no space left on the device/,
    );
    assert.equal(loadCheckpoint(join(folder, 'checkpoints'), assert.fail)?.step, 10);
    assert.ok(mount('remount,size=20m'));
    const { child, ended } = start(folder, '--resume');
    await untilStep(folder, 20, ended);
    child.kill('SIGTERM');
    const { code, errors } = await ended;
    assert.equal(code, 143, errors);
    assert.match(errors, /resuming after step 10/);
  } finally {
    spawnSync('umount', [disk]);
  }
});

const script = spawnSync('script', ['--version']).status === 0;

test('a terminal that closes: the step is finished and saved, exit code 129', {
  skip: !script && 'needs script(1)',
}, async () => {
  const folder = newFolder();
  const command = `exec ${process.execPath} ${commandLine} run ${config} --out ${folder}`;
  // script(1) gives it a terminal of its own, and closes that terminal when it ends.
  const terminal = spawn(
    'script',
    ['--quiet', '--return', '--command', `echo $$ > ${folder}.pid; ${command}`, '/dev/null'],
    {
      stdio: ['ignore', 'ignore', 'ignore'],
    },
  );
  await untilStep(folder, 10, new Promise(() => {}));
  const pid = Number(fs.readFileSync(`${folder}.pid`, 'utf8'));
  terminal.kill('SIGKILL');
  while (fs.existsSync(`/proc/${pid}`)) await sleep(20);
  const summary = readSummary(join(folder, 'summary.json'));
  assert.equal(summary.status, 'interrupted');
  const steps = readSteps(join(folder, 'steps.csv'));
  assert.equal(loadCheckpoint(join(folder, 'checkpoints'), assert.fail)?.step, steps.length);
  assert.equal(
    fs.readdirSync(join(folder, 'checkpoints')).filter((name) => name.startsWith('step')).length,
    1,
  );
});

test('nohup: a SIGHUP does not stop it', async () => {
  const folder = newFolder();
  const { child, ended } = start(folder);
  await untilStep(folder, 5, ended);
  child.kill('SIGHUP');
  await untilStep(folder, 25, ended);
  child.kill('SIGTERM');
  assert.equal((await ended).code, 143);
});
