import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config/load.js';
import { UserError } from '../errors.js';
import { checkPlan, planRun } from './plan.js';

const parsed = (model: string, data: string) =>
  parseConfig(`model: ${model}\nnormalizer: group\ndata: ${data}\n`, { file: 'a.yaml' });

const refusal = (place: string, message: RegExp) => (error: unknown) =>
  error instanceof UserError && error.place === place && message.test(error.message);

test('a network over images takes no clips, and one over clips no images', () => {
  assert.throws(
    () => planRun(parsed('resnet18', 'synthetic-video')),
    refusal('model.name', /resnet18 is over images, and synthetic-video has clips/),
  );
  assert.throws(
    () => planRun(parsed('i3d-resnet18', 'cifar10')),
    refusal('model.name', /i3d-resnet18 is over clips, and cifar10 has images/),
  );
});

test('images and clips of which a network leaves nothing are refused', () => {
  const folder = (resolution: number) =>
    `{ name: image-folder, train: a, val: b, resolution: ${resolution} }`;
  checkPlan(parsed('vgg16', folder(32)));
  assert.throws(
    () => checkPlan(parsed('vgg16', folder(31))),
    refusal('data.resolution', /31×31 is too small for vgg16/),
  );
  const clips = (frames: number) => `{ name: synthetic-video, frames: ${frames} }`;
  planRun(parsed('i3d-resnet18', clips(7)));
  assert.throws(
    () => planRun(parsed('i3d-resnet18', clips(6))),
    refusal('data.frames', /too small for i3d-resnet18/),
  );
});

test('a classifier of one class has nothing to tell apart', () => {
  const data = '{ name: image-folder, train: a, val: b, expect: { train: 64, val: 8, classes: 1 } }';
  assert.throws(() => planRun(parsed('resnet18', data)), refusal('data.train', /a single class/));
});

test('folders of clips need not be there to check a configuration', () => {
  checkPlan(parsed('i3d-resnet18', '{ name: video-folder, train: nowhere, val: nowhere }'));
  checkPlan(parsed('i3d-resnet18', '{ name: motion-of-photographs, train: nowhere, val: nowhere }'));
});

test('a warm-up that outlasts the training is refused, whichever of both is in steps', () => {
  const data = '{ name: synthetic, trainSubset: 64 }';
  const length = (more: string, of = data) =>
    parseConfig(`model: resnet20\nnormalizer: group\ndata: ${of}\nbatch: { size: 2 }\n${more}`, {
      file: 'a.yaml',
    });
  planRun(length('epochs: 1\nlearningRate: { warmupSteps: 32 }'));
  planRun(length('steps: 64\nlearningRate: { warmupEpochs: 2 }'));
  assert.throws(
    () => planRun(length('epochs: 1\nlearningRate: { warmupSteps: 33 }')),
    /learningRate\.warmupSteps is 33 steps long, and the training 32/,
  );
  assert.throws(
    () => planRun(length('steps: 63\nlearningRate: { warmupEpochs: 2 }')),
    /learningRate\.warmupEpochs is 64 steps long, and the training 63/,
  );
  // How many steps an epoch has is not known of folders that are not looked for.
  checkPlan(
    length('steps: 90000\nlearningRate: { warmupEpochs: 1 }', '{ name: image-folder, train: a, val: b }'),
  );
});
