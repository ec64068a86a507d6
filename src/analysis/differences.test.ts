import assert from 'node:assert/strict';
import test from 'node:test';
import { parseConfig } from '../config/load.js';
import { classificationError } from '../tasks/metric.js';
import { differencesFromPaper, differencesLine, isPaperSetting } from './differences.js';
import type { Study, StudyRun } from './study.js';
import { studyCell } from './study.js';

const recipe = {
  epochs: 100,
  'batch.workers': 8,
  'learningRate.per': 256,
  'learningRate.dropAt': '[30, 60, 90]',
};

function cellOf(overrides: Record<string, unknown>, images = 50_000, note?: string) {
  const text = 'model: { name: resnet20 }\nnormalizer: { name: batch }\ndata: { name: cifar10 }\n';
  const assignments = Object.entries({ ...recipe, ...overrides }).map(([path, value]) => `${path}=${value}`);
  const config = parseConfig(text, { file: 'x.yaml', overrides: assignments });
  const row = { epoch: 2, step: 20, images: images * 2, learning_rate: 0.1, train_loss: 1, train_error: 60 };
  const run = {
    seed: 1,
    folder: '',
    outcome: 'completed',
    epochs: { done: 2, total: 2 },
    metrics: [classificationError],
    value: 24,
    rows: [{ ...row, val_error: 24, images_per_second: 400, seconds: 9 }],
    summary: { dataset: { name: config.data.name, official: note === undefined, note } },
  } as unknown as StudyRun;
  return studyCell('key', config, [run]);
}

const study = (...cells: Study['cells']): Study => ({
  metric: classificationError,
  name: 'x',
  title: 'x',
  folder: '',
  cells,
  baseline: [],
  seeds: [1],
  notPossible: [],
  strays: [],
});

test('with the paper’s recipe only data and model differ', () => {
  assert.deepEqual(differencesFromPaper(study(cellOf({}))), [
    'CIFAR-10 instead of ImageNet',
    'ResNet-20 instead of ResNet-50',
  ]);
});

test('of videos Table 8’s setting counts, and clips are named by their frames', () => {
  const clips = cellOf({
    'learningRate.dropAt': '[0.375, 0.75]',
    epochs: 107,
    'learningRate.base': 0.01,
    'learningRate.per': 64,
    model: '{ name: i3d-resnet18, timeStrides: { conv1: 1, pool1: 1, pool2: 2 } }',
    data: '{ name: video-folder, frames: 8, resolution: 56, views: { clips: 3, crops: 3 } }',
  });
  const found = differencesFromPaper(study(clips));
  assert.ok(found.includes('I3D ResNet-18 instead of I3D ResNet-50'), `${found}`);
  assert.ok(found.includes('8 frames of 56×56 instead of 32 or 64 of 224×224'), `${found}`);
  assert.ok(found.includes('weight decay on γ and β instead of none'), `${found}`);
  assert.deepEqual(found.slice(-4), [
    '3 clips a video in the last evaluation',
    '3 crops a clip in it',
    'stride over time 1 in conv1',
    'stride over time 1 in pool1',
  ]);
});

test('each deviation is named, with all its values', () => {
  const cells = [
    cellOf({ epochs: 30, 'batch.workers': 1, 'learningRate.per': 32, 'learningRate.dropAt': '[10, 20, 27]' }),
    cellOf({
      'normalizer.name': 'group',
      'normalizer.groups': 8,
      precision: 'bfloat16',
      'data.trainSubset': 10_000,
    }),
  ];
  assert.deepEqual(differencesFromPaper(study(...cells)), [
    'CIFAR-10 instead of ImageNet',
    'trained on 10,000 images',
    'ResNet-20 instead of ResNet-50',
    '30 epochs instead of 100',
    '1 worker instead of 8',
    'rate 0.1 per 32 images a step instead of 0.1 per 256',
    'rate ÷10 after epochs 10, 20 and 27 instead of after epochs 30, 60 and 90',
    'GN with 8 groups instead of 32',
    'bfloat16 instead of float32',
  ]);
});

test('what else differs from the paper’s training is named too', () => {
  const cells = [
    cellOf({ 'optimizer.weightDecay': 5e-4, 'optimizer.momentum': 0.8 }),
    cellOf({ 'learningRate.factor': 0.5, 'learningRate.dropAt': '[0.3, 0.6, 0.9]' }),
    cellOf({ 'optimizer.labelSmoothing': 0.1 }),
  ];
  assert.deepEqual(differencesFromPaper(study(...cells)).slice(2), [
    'rate ÷2 at 30, 60 and 90 % of training instead of after epochs 30, 60 and 90',
    'momentum 0.8 instead of 0.9',
    'weight decay 0.0005 instead of 0.0001',
    'labelSmoothing 0.1',
  ]);
});

test('other images or layers are named, and no absolute error is held against the paper’s then', () => {
  const cells = [
    cellOf({ 'data.augment': false, 'data.validation': '{ fromTrain: 5000 }' }),
    cellOf({ 'model.shortcut': 'projection', 'data.trainSubset': 1000 }),
  ];
  assert.deepEqual(differencesFromPaper(study(...cells)).slice(3), [
    'augment false',
    'fromTrain 5000',
    'shortcut projection',
  ]);
  for (const [change, same] of [
    ['data.resolution=64', false],
    ['data.augment=false', false],
    ['model.strideIn1x1=true', false],
    ['data.train=elsewhere/train', true],
  ] as const) {
    const cell = cellOf({}, 1_281_167);
    const text = 'model: { name: resnet50 }\nnormalizer: { name: batch }\ndata: { name: image-folder }\n';
    const config = parseConfig(text, { file: 'x.yaml', overrides: [change] });
    assert.equal(isPaperSetting(studyCell('key', config, cell.runs)), same, change);
  }
});

test('drops of the rate are told as they are', () => {
  const told = (overrides: Record<string, unknown>) => differencesFromPaper(study(cellOf(overrides)))[2];
  assert.match(told({ 'learningRate.factor': 0.7 }), /^rate ×0.7 after epochs 30, 60 and 90/);
  assert.match(told({ 'learningRate.factor': 0.2 }), /^rate ÷5 /);
  assert.match(
    told({ 'learningRate.dropAt': '[0.5, 60]' }),
    /^rate ÷10 at 50 % of training and after epoch 60 /,
  );
  assert.match(told({ 'learningRate.dropAt': '[]' }), /^a rate that never drops/);
});

test('unofficial data are labelled, for cells that have not run too', () => {
  const label = 'CIFAR-10 (124 of 60,000 images JPEG-approximated)';
  const planned = { ...cellOf({ 'batch.size': 2 }), runs: [] };
  const [first] = differencesFromPaper(study(planned, cellOf({}, 50_000, label)));
  assert.equal(first, `${label} instead of ImageNet`);
  assert.match(differencesLine(study(cellOf({}, 50_000, 'cut short'))), /CIFAR-10 \(cut short\)/);
});

test('absolute errors are compared on ImageNet’s images and the paper’s model only', () => {
  const [workers, size] = [8, 32];
  const lastPartial = 1_281_167 % (workers * size);
  const paper = cellOf({}, 1_281_167 - lastPartial);
  assert.equal(isPaperSetting(paper), false, 'ResNet-20');
  paper.setting.model = 'resnet50';
  assert.equal(isPaperSetting(paper), true);
  const tenth = cellOf({}, 128_000);
  tenth.setting.model = 'resnet50';
  assert.equal(isPaperSetting(tenth), false, 'a subset');
});
