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
