import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parseConfig } from '../config/load.js';

/** Calls a command in a process of its own, for what it prints. */
async function call(expression: string) {
  const script = `const { configShow, configValidate } = await import('./dist/commands/config.js');
    try { process.exitCode = await ${expression}; }
    catch (error) { console.error(error.name + ': ' + error.place + ': ' + error.message); process.exitCode = error.exitCode; }`;
  const node = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return node.then(
    ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
    ({ stdout, stderr, code }) => ({ stdout, stderr, code }),
  );
}

test('config show prints a configuration that can be run, and what follows from it', async () => {
  const { stdout, stderr, code } = await call(
    `configShow('configs/resnet-gn-b2.yaml', { set: ['epochs=4'] })`,
  );
  assert.deepEqual([stderr, code], ['', 0]);
  assert.equal(parseConfig(stdout, { file: 'shown.yaml' }).epochs, 4);
  assert.match(stdout, /^# steps: 100,000, 25,000 an epoch, of 2 images$/m);
  assert.match(
    stdout,
    /^# rate: 0\.0015625 = 0\.1 · 2 \/ 128, 0\.00015625 from epoch 3, 0\.000015625 from epoch 4$/m,
  );
  assert.match(stdout, /^# model: 269,722 parameters, 40,931,968 multiply-adds an image forward$/m);
  assert.match(stdout, /^# stage2\.block0\.norm1 +norm +16×16×32 +8 +64 +16,384$/m);
});

test('config show --json prints the same as data', async () => {
  const { stdout } = await call(
    `configShow('configs/resnet-bn-b2.yaml', { json: true, set: ['batch.workers=8', 'learningRate.warmupEpochs=1'] })`,
  );
  const shown = JSON.parse(stdout);
  assert.equal(shown.config.normalizer.name, 'batch');
  assert.deepEqual(
    [shown.rate, shown.imagesPerStep, shown.stepsPerEpoch, shown.totalSteps],
    [0.0125, 16, 3125, 312_500],
  );
  assert.deepEqual(shown.images, { train: 50_000, validation: 10_000 });
  assert.deepEqual(shown.rates, [
    { fromEpoch: 2, rate: 0.0125 },
    { fromEpoch: 51, rate: 0.00125 },
    { fromEpoch: 76, rate: 0.000125 },
  ]);
  assert.equal(shown.model.parameters, 269_722);
  assert.equal(shown.memory.total, shown.memory.activations + shown.memory.parameters);
  assert.match(shown.runName, /^resnet-bn-b2-[0-9a-f]{10}$/);
});

test('config show tells the steps at which the rate of a training in steps changes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'steps.yaml');
  const schedule = 'base: 0.02, per: 16, dropAt: [600, 800], warmupSteps: 100, warmupFrom: 0.333';
  writeFileSync(
    file,
    `model: resnet20\nnormalizer: gn\ndata: cifar10\nbatch: { size: 2 }\nsteps: 900\nlearningRate: { ${schedule} }\n`,
  );
  const { stdout, stderr } = await call(`configShow(${JSON.stringify(file)})`);
  assert.equal(stderr, '');
  assert.match(stdout, /^# steps: 900, 25,000 an epoch, of 2 images$/m);
  assert.match(
    stdout,
    /^# rate: 0\.0025 = 0\.02 · 2 \/ 16, 0\.00025 from step 601, 0\.000025 from step 801$/m,
  );
});

test('config validate does not look for folders of images, and still checks what it can', async () => {
  const folders = ['data={ name: image-folder, train: /nowhere/a, val: /nowhere/b }', 'model=resnet50'];
  const set = (...more: string[]) => JSON.stringify({ set: [...folders, ...more] });
  const valid = await call(`configValidate(['configs/quickstart.yaml'], ${set()})`);
  assert.deepEqual([valid.stderr, valid.code], ['', 0]);
  const chosen = await call(`configValidate(['configs/quickstart.yaml'], ${set('data.classes=[ant, bee]')})`);
  assert.deepEqual([chosen.stderr, chosen.code], ['', 0]);
  const coco = ['data={ name: coco }', 'model=mask-rcnn', 'normalizer=group'];
  const detector = await call(
    `configValidate(['configs/quickstart-detection.yaml'], ${JSON.stringify({ set: coco })})`,
  );
  assert.deepEqual([detector.stderr, detector.code], ['', 0]);
  const wrong = await call(
    `configValidate(['configs/quickstart.yaml'], ${set('normalizer={ name: group, groups: 48 }')})`,
  );
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /48/);
});

test('every shipped configuration is valid', async () => {
  const files = readdirSync('configs').filter((file) => file.endsWith('.yaml'));
  const paths = JSON.stringify(files.map((file) => `configs/${file}`));
  const { stdout, stderr, code } = await call(`configValidate(${paths})`);
  assert.deepEqual([stderr, code], ['', 0]);
  assert.equal(stdout, files.map((file) => `configs/${file}: valid\n`).join(''));
});

test('config validate says what is wrong, file by file, also what only the model or the data tell', async () => {
  const file = 'configs/resnet-gn-b2.yaml';
  const groups = await call(`configValidate(['${file}'], { set: ['normalizer.groups=3'] })`);
  assert.equal(groups.code, 2);
  assert.match(
    groups.stderr,
    /^error: --set normalizer\.groups: .*16 channels.*\n {2}use one of 1, 2, 4, 8, 16\n$/,
  );
  const both = await call(`configValidate(['nowhere.yaml', '${file}'], { json: true })`);
  const [missing, fine] = JSON.parse(both.stdout);
  assert.deepEqual([both.stderr, both.code], ['', 2]);
  assert.deepEqual([missing.valid, missing.error.message], [false, 'no such file']);
  assert.deepEqual(fine, { file, valid: true });
  const large = await call(`configShow('${file}', { set: ['batch.size=50001'] })`);
  assert.equal(large.code, 2);
  assert.match(large.stderr, /^UserError: --set batch\.size: batch\.size: a batch of 50001/);
});
