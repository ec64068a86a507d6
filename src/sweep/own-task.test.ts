/**
 * A task of a user's own, docs/examples/shape-and-spots.mjs, from its module to a table and a figure: it trains, goes on
 * where it was stopped, and is swept, without a line of it in src/.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { configId } from '../config/identity.js';
import { loadConfig, parseConfig } from '../config/load.js';
import { loadExperiment } from '../experiments/experiment.js';
import { readSummary } from '../runs/summary.js';
import { readOutcome } from '../runs/testing/run-outcome.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-own-task-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const root = fileURLToPath(new URL('../..', import.meta.url));
const example = fs.readFileSync(join(root, 'docs/examples/shape-and-spots.mjs'), 'utf8');

const module = join(scratch, 'tasks', 'spots.mjs');
fs.mkdirSync(join(scratch, 'tasks'));
fs.writeFileSync(module, example);
const config = join(scratch, 'tasks', 'spots.yaml');
const text = (images: number) => `model: resnet20
data: { name: synthetic, trainSubset: ${images}, valSubset: 32 }
task: { module: ./spots.mjs }
batch: { size: 8 }
epochs: 2
`;
fs.writeFileSync(config, `${text(256)}normalizer: group\nlog: { everySteps: 1 }\n`);

function start(...args: string[]) {
  const child = spawn(process.execPath, [join(root, 'bin/gnbench.js'), ...args], { cwd: scratch });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data;
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  return { child, ended };
}

async function gnbench(...args: string[]): Promise<string> {
  const { code, output } = await start(...args).ended;
  assert.equal(code, 0, output);
  return output;
}

test('it trains, and a run that is stopped goes on to the same bits', async () => {
  const [whole, cut] = ['whole', 'cut'].map((name) => join(scratch, name));
  const report = await gnbench('run', config, '--out', whole, '--quiet');
  assert.match(report, /validation accuracy {2}\d+\.\d\d % last.*\nvalidation distance {2}0\.\d{4} last/);
  const { status, metrics, valAccuracy, valDistance, trainLoss, trainShape } = readSummary(
    join(whole, 'summary.json'),
  );
  assert.equal(status, 'completed');
  assert.deepEqual(
    metrics!.map(({ name }) => name),
    ['accuracy', 'distance'],
  );
  assert.ok(valAccuracy.best! >= valAccuracy.final! && valDistance.best! <= valDistance.final!);
  assert.ok(trainLoss.final! > trainShape.final!);
  const header = fs.readFileSync(join(whole, 'curves.csv'), 'utf8').split('\n')[0];
  const columns = 'train_loss,train_shape,train_place,train_accuracy,val_loss,val_accuracy,val_distance';
  assert.equal(header, `epoch,step,images,learning_rate,${columns},images_per_second,seconds`);

  const { child, ended } = start('run', config, '--out', cut, '--quiet');
  const steps = join(cut, 'steps.csv');
  while (!fs.existsSync(steps) || fs.readFileSync(steps, 'latin1').split('\n').length < 12) await sleep(2);
  child.kill('SIGTERM');
  assert.equal((await ended).code, 143);
  await gnbench('run', config, '--out', cut, '--quiet', '--resume');
  assert.deepEqual(await readOutcome(cut), await readOutcome(whole));
});

test('it is swept, and ends in a table and figures', async () => {
  const experiment = join(scratch, 'tasks', 'norms.yaml');
  const base = text(32).replace(/^/gm, '  ').trimEnd();
  const title = 'Shapes and spots';
  fs.writeFileSync(
    experiment,
    `title: ${title}\nbase:\n${base}\naxes:\n  normalizer: [batch, group]\nseeds: [1, 2]\n`,
  );
  await gnbench('sweep', experiment, '--quiet');
  const folder = join(scratch, 'results', 'norms');
  // The snapshot names the module from where it lies, and what it held.
  const [there, here] = await Promise.all([loadExperiment(folder), loadExperiment(experiment)]);
  assert.deepEqual(
    there.cells.map(({ key }) => key),
    here.cells.map(({ key }) => key),
  );
  const table = await gnbench('table', folder);
  assert.match(table, /Validation accuracy in %: the median of the last 5 epochs/);
  assert.match(table, /\| BN, batch 8 \| – \| \d+\.\d\d ± \d+\.\d\d \| 2 \|/);
  assert.match(table, /\| GN − BN at 8 \| – \| [+−]?\d+\.\d\d \|/);
  const runs = (await gnbench('table', folder, '--format', 'csv')).split('\n');
  assert.match(runs[0], /val_accuracy,val_accuracy_median_last5,.*val_distance_best,train_shape_final/);
  assert.equal(runs.length, 2 + 4);
  await gnbench('plot', folder);
  const figure = fs.readFileSync(join(folder, 'figures', 'curves.svg'), 'utf8');
  for (const words of ['Validation accuracy', 'Validation distance', 'Training accuracy']) {
    assert.ok(figure.includes(words), words);
  }
});

test('its content is part of the identity, its place is not', async () => {
  const before = await loadConfig(config);
  const moved = join(scratch, 'elsewhere');
  fs.mkdirSync(moved);
  fs.writeFileSync(join(moved, 'other.mjs'), example);
  const elsewhere = fs.readFileSync(config, 'utf8').replace('./spots.mjs', './other.mjs');
  assert.equal(configId(parseConfig(elsewhere, { file: join(moved, 'a.yaml') })), configId(before));
  fs.writeFileSync(join(moved, 'other.mjs'), `${example}\n// changed\n`);
  assert.notEqual(configId(parseConfig(elsewhere, { file: join(moved, 'a.yaml') })), configId(before));

  // A run that was begun with another content is refused, and so is a file that says which content it wants.
  fs.writeFileSync(module, `${example}\n// changed\n`);
  const resumed = await start('run', config, '--out', join(scratch, 'whole'), '--resume').ended;
  assert.equal(resumed.code, 2);
  assert.match(resumed.output, /the folder holds a run of another configuration/);
  const recorded = await start('run', join(scratch, 'whole', 'config.yaml'), '--out', join(scratch, 'new'))
    .ended;
  assert.equal(recorded.code, 2);
  assert.match(recorded.output, /spots\.mjs is no longer what it was/);
});

test('a module that is not there, is no module or makes no task is refused with its place', async () => {
  const cases: [content: string | undefined, message: RegExp][] = [
    [undefined, /none\.mjs cannot be read \(ENOENT\)/],
    ['export const nothing = 1;', /no default export that makes a task/],
    ['this is no JavaScript', /cannot be loaded: /],
    ['export default () => ({ targets: {}, metrics: [] })', /has no function training/],
    [example.replace("better: 'higher'", "better: 'high'"), /has the metric {"name":"accuracy".*better/],
    [example.replace(/export const examples/, 'const examples'), /needs spots as float32 \[16, 2\]/],
  ];
  for (const [content, message] of cases) {
    const file = join(scratch, 'tasks', 'none.mjs');
    if (content === undefined) fs.rmSync(file, { force: true });
    else fs.writeFileSync(file, content);
    const faulty = join(scratch, 'tasks', 'faulty.yaml');
    fs.writeFileSync(faulty, text(32).replace('spots.mjs', 'none.mjs').concat('normalizer: group\n'));
    const { code, output } = await start('run', faulty, '--out', join(scratch, 'faulty'), '--quiet').ended;
    assert.equal(code, 2, output);
    assert.match(output, message);
    assert.match(output, /faulty\.yaml:3:/);
  }
});
