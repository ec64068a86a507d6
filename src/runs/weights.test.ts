import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseConfig } from '../config/load.js';
import { UserError } from '../errors.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { formulaValues } from '../models/testing/formula.js';
import { writeSafetensors } from '../weights/safetensors.js';
import { backboneDifferences, describeArchitecture } from '../weights/weights-metadata.js';
import { saveCheckpoint } from './checkpoint/checkpoint.js';
import { withOptimizerSlots } from './optimizer-slots.js';
import { readWeights } from './weights.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-weights-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const text = 'model: resnet20\nnormalizer: bn\ndata: cifar10\n';
const variablesOf = (classes: number) => {
  const config = parseConfig(text, { file: 'a.yaml' });
  return describeModel(createModel(config.model, classes), config.normalizer, { shape: [32, 32, 3] })
    .variables;
};
const variables = variablesOf(10);
const values = formulaValues(variables);

let files = 0;
function write(tensors: typeof values, metadata?: Record<string, string>): string {
  const file = join(scratch, `${files++}.safetensors`);
  writeSafetensors(file, tensors, { metadata });
  return file;
}

const refused = (file: string, options: Parameters<typeof readWeights>[2], ...expected: RegExp[]) =>
  assert.throws(
    () => readWeights(file, variables, options),
    (error: unknown) => {
      assert.ok(error instanceof UserError, String(error));
      assert.deepEqual([error.place, error.exitCode], [file, 2]);
      for (const pattern of expected) assert.match(`${error.message}\n${error.fix}`, pattern);
      return true;
    },
  );

test('a file in gnbench’s names: values, checksum and metadata', () => {
  const file = write(values, { model: 'resnet20' });
  const loaded = readWeights(file, variables, { head: 'keep' });
  assert.deepEqual(loaded.values, values);
  assert.deepEqual(loaded.metadata, { model: 'resnet20' });
  assert.equal(loaded.sha256, createHash('sha256').update(fs.readFileSync(file)).digest('hex'));
});

test('with a new head its variables are left out, whether the file has them, others or none', () => {
  const { 'head.weight': weight, 'head.bias': bias, ...rest } = values;
  const others = formulaValues(variablesOf(100));
  for (const tensors of [rest, values, others, { ...rest, 'head.scale': bias }]) {
    const loaded = readWeights(write(tensors), variables, { head: 'new' });
    assert.deepEqual(Object.keys(loaded.values), Object.keys(rest));
  }
  assert.ok(weight);
});

test('all missing, extra and misshapen tensors are listed at once, and a fix that fits', () => {
  const { 'stem.norm.gamma': gamma, 'stage2.block1.conv2.weight': _, ...rest } = values;
  refused(
    write({ ...rest, 'stem.norm.beta': { shape: [4, 4], data: gamma.data }, more: gamma }),
    { head: 'keep' },
    /missing: stem\.norm\.gamma, stage2\.block1\.conv2\.weight; of another shape: stem\.norm\.beta \[4,4\] instead of \[16\]; extra: "more"$/m,
    /take the model and normalizer/,
  );
  refused(
    write(formulaValues(variablesOf(100))),
    { head: 'keep' },
    /not the model's; of another shape: head\.weight \[64,100\] instead of \[64,10\], head\.bias \[100\] instead of \[10\]$/m,
    /the number of classes differs/,
  );
  const foreign = Object.fromEntries(Object.entries(values).map(([name, value]) => [`net.${name}`, value]));
  refused(write(foreign), { head: 'keep' }, /and \d+ more/, /gnbench import FILE --from torchvision\|timm/);
});

test('a run’s folder: its newest whole checkpoint, without the optimizer’s slots', async () => {
  const run = fs.mkdtempSync(join(scratch, 'run-'));
  refused(run, { head: 'keep' }, /holds no run/);
  fs.writeFileSync(join(run, 'config.yaml'), text);
  refused(run, { head: 'keep' }, /has no checkpoint yet\n.*--resume/);
  const checkpoints = join(run, 'checkpoints');
  const save = (step: number, tensors: typeof values) =>
    saveCheckpoint(checkpoints, { step, sums: {}, tensors }, { keep: 5 });
  await save(3, withOptimizerSlots(variables, values, { parts: 2 }));
  await save(4, withOptimizerSlots(variables, values));
  fs.truncateSync(join(checkpoints, 'step-000000004', 'tensors.safetensors'), 99);
  const warnings: string[] = [];
  const loaded = readWeights(run, variables, { head: 'keep', warn: (message) => warnings.push(message) });
  assert.deepEqual(loaded.values, values);
  const { step, classes, normalizer, config } = loaded.metadata;
  assert.deepEqual([step, classes, JSON.parse(normalizer).name], ['3', '10', 'batch']);
  assert.equal(parseConfig(config, { file: 'a.yaml' }).model.name, 'resnet20');
  assert.match(warnings.join(), /step-000000004 is damaged/);
  const tensors = fs.readFileSync(join(checkpoints, 'step-000000003', 'tensors.safetensors'));
  assert.equal(loaded.sha256, createHash('sha256').update(tensors).digest('hex'));
});

test('of a run that averages its weights, the averages', async () => {
  const run = fs.mkdtempSync(join(scratch, 'run-'));
  const averages = Object.fromEntries(
    variables.map(({ name, shape }) => [
      `${name}.average`,
      { shape, data: values[name].data.map((x) => 2 * x) },
    ]),
  );
  const tensors = { ...withOptimizerSlots(variables, values), ...averages };
  saveCheckpoint(join(run, 'checkpoints'), { step: 1, sums: {}, tensors }, { keep: 1 });
  const loaded = readWeights(run, variables, { head: 'keep' });
  assert.deepEqual(loaded.values['stem.conv.weight'], averages['stem.conv.weight.average']);
  assert.deepEqual(loaded.values['stem.norm.variance'], averages['stem.norm.variance.average']);
});

test('names with a wrapper’s word in front: the way to take it off', () => {
  for (const word of ['module.', '_orig_mod.']) {
    const wrapped = Object.fromEntries(Object.entries(values).map(([name, value]) => [word + name, value]));
    refused(write(wrapped), { head: 'keep' }, /not the model's/, new RegExp(`removeprefix\\("${word}"\\)`));
  }
});

test('no such file, no safetensors', () => {
  refused(join(scratch, 'nowhere.safetensors'), { head: 'keep' }, /no such file/);
  const file = join(scratch, 'text.safetensors');
  fs.writeFileSync(file, 'no tensors');
  refused(file, { head: 'keep' }, /not a sound safetensors file/);
});

test("a classifier's weights are a detector's backbone, where that is asked for", () => {
  const described = (config: string, classes: number) => {
    const { model, normalizer } = parseConfig(config, { file: 'a.yaml' });
    return describeModel(createModel(model, classes), normalizer, { shape: [64, 64, 3] }).variables;
  };
  const classifier = formulaValues(described('model: resnet18\nnormalizer: bn\ndata: image-folder\n', 10));
  const detector = described(
    'model: {name: mask-rcnn, backbone: resnet18}\nnormalizer: {name: none, parts: {backbone: frozen-batch}}\ndata: shapes\ninit: {weights: w}\n',
    3,
  );
  const file = write(classifier);
  for (const head of ['keep', 'new'] as const) {
    const loaded = readWeights(file, detector, { head, backbone: true }).values;
    const names = detector.map(({ name }) => name).filter((name) => name.startsWith('backbone.'));
    assert.deepEqual(Object.keys(loaded).sort(), names.sort());
    assert.ok(names.length > 90);
    for (const name of names)
      assert.deepEqual(loaded[name], classifier[name.slice('backbone.'.length)], name);
  }
  const [ours, theirs] = ['{name: group, groups: 16}', 'group'].map((normalizer) => {
    const text = `model: resnet18\nnormalizer: ${normalizer}\ndata: image-folder\n`;
    return describeArchitecture(parseConfig(text, { file: 'a.yaml' }), 10);
  });
  const rcnn = parseConfig('model: mask-rcnn\nnormalizer: group\ndata: shapes\n', { file: 'a.yaml' });
  assert.deepEqual(backboneDifferences(theirs, rcnn), []);
  assert.deepEqual(backboneDifferences(ours, rcnn), ['normalizer.groups 16, here 32']);
  assert.throws(() => readWeights(file, detector, { head: 'keep' }), /missing: backbone\.stem\.conv\.weight/);
  // With a new head a detector's own weights keep all but what predicts classes.
  const own = formulaValues(detector);
  const kept = Object.keys(readWeights(write(own), detector, { head: 'new', backbone: true }).values);
  const left = Object.keys(own).filter((name) => !kept.includes(name));
  assert.deepEqual(left.sort(), [
    'boxHead.logits.bias',
    'boxHead.logits.weight',
    'boxHead.shifts.bias',
    'boxHead.shifts.weight',
    'maskHead.masks.bias',
    'maskHead.masks.weight',
  ]);
});
