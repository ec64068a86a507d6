import assert from 'node:assert/strict';
import test from 'node:test';
import { parseConfig } from '../config/load.js';
import { publishedError, publishedErrors, publishedVideos } from './published.js';
import { publishedDetection, publishedDetections } from './published-detections.js';

const at = (normalizer: string, batchSize: number, more: object = {}, table?: 1 | 2 | 3) =>
  publishedError({ normalizer, batchSize, ...more }, table)?.error;

test('the numbers of the abstract follow from the tables', () => {
  const points = (value: number) => Number(value.toFixed(1));
  assert.equal(points(at('batch', 2)! - at('group', 2)!), 10.6);
  assert.equal(points(at('group', 32)! - at('batch', 32)!), 0.5);
  assert.equal(points(at('layer', 32)! - at('group', 32)!), 1.2);
  assert.equal(points(at('instance', 32)! - at('group', 32)!), 4.3);
});

test('tables that share a cell agree on it', () => {
  assert.equal(at('batch', 32, {}, 1), at('batch', 32, {}, 2));
  assert.equal(at('group', 32, {}, 1), at('group', 32, {}, 2));
  assert.equal(at('group', 32, { groups: 32 }, 3), at('group', 32, {}, 1));
  assert.equal(at('layer', 32, {}, 3), at('layer', 32, {}, 1));
  assert.equal(at('instance', 32, {}, 3), at('instance', 32, {}, 1));
});

test('a cell finds its own value, and another table or batch none', () => {
  assert.equal(at('group', 32, { groups: 8 }), 24.1, 'outside Table 3 a GN is a GN');
  assert.equal(at('group', 32, { groups: 8 }, 3), 24.4);
  assert.equal(at('group', 32, { channelsPerGroup: 2 }, 3), 25.6);
  assert.equal(at('batch', 32, {}, 3), undefined);
  assert.equal(at('layer', 2), undefined);
  assert.equal(at('group', 64), undefined);
  assert.equal(at('batch-renorm', 4), 26.3);
  assert.equal(at('batch', 2, { model: 'resnet101' }), 31.9);
  assert.equal(at('none', 32, { model: 'vgg16' }), 29.2);
  assert.equal(at('none', 32, { model: 'resnet20' }), undefined);
  assert.equal(at('batch', 2, { model: 'resnet20' }), 34.7, 'another model is held against ResNet-50');
});

test('networks over clips are held against Table 8, by their frames, and C2D against nothing', () => {
  assert.equal(at('batch', 8, { model: 'i3d-resnet50', frames: 32 }), 26.7);
  assert.equal(at('group', 4, { model: 'i3d-resnet50', frames: 64 }), 25.5);
  assert.equal(at('group', 4, { model: 'i3d-resnet18', frames: 8 }), 27.2, 'as of 32 frames');
  assert.equal(
    at('batch', 2, { model: 'i3d-resnet18', frames: 8 }),
    undefined,
    'not ResNet-50’s on ImageNet',
  );
  assert.equal(at('batch', 8, { model: 'c2d-resnet50', frames: 32 }), undefined);
});

test('every table is there in full', () => {
  const count = (table: number) => publishedErrors.filter((value) => value.table === table).length;
  assert.deepEqual([count(1), count(2), count(3)], [4, 10, 14]);
  assert.deepEqual(
    [4, 5, 6, 7].map((table) => publishedDetections.filter((row) => row.table === table).length),
    [2, 3, 6, 2],
  );
  assert.equal(publishedVideos.length, 6);
  assert.equal(count(8), 6);
});

test('a detector finds its row of Tables 4 to 7', () => {
  const pretrained = 'init: { weights: a.safetensors }';
  const frozen = 'name: none, parts: { backbone: { name: frozen-batch }';
  const of = (model: string, normalizer: string, ...more: string[]) => {
    const lines = [
      `model: { name: mask-rcnn${model} }`,
      `normalizer: { ${normalizer} }`,
      'data: shapes',
      'batch: { size: 2, workers: 8 }',
      ...more,
    ];
    const found = publishedDetection(parseConfig(`${lines.join('\n')}\n`, { file: 'a.yaml' }));
    return found && `${found.source}: ${found.boxAP} ${found.maskAP}`;
  };
  const wide = ', boxHead: 4conv1fc';
  assert.equal(of('', `${frozen} }`, pretrained), 'Table 6: 38.6 34.5');
  assert.equal(of(wide, `${frozen} }`, pretrained), 'Table 5: 38.6 34.2');
  assert.equal(of(wide, `${frozen}, boxHead: { name: group } }`, pretrained), 'Table 5: 39.5 34.4');
  const inBoth = 'name: none, parts: { backbone: { name: group }, boxHead: { name: group } }';
  assert.equal(of(wide, inBoth, pretrained), 'Table 5: 40 34.8');
  assert.equal(of(wide, 'name: group', pretrained), 'Table 6: 40.3 35.7');
  const longer = ['steps: 270000'];
  assert.equal(of(wide, 'name: group', pretrained, ...longer), 'Table 6: 40.8 36.1');
  assert.equal(of(`, backbone: resnet101${wide}`, 'name: group', pretrained), 'Table 6: 41.8 36.8');
  assert.equal(of(', neck: c4', `${frozen} }`, pretrained), 'Table 4: 37.7 32.8');
  assert.equal(of(', neck: c4', 'name: group', pretrained), 'Table 4: 38.8 33.6');
  assert.equal(of(wide, 'name: group'), 'Table 7: 39.5 35.2');
  assert.equal(of(`, backbone: resnet18${wide}`, 'name: group'), 'Table 7: 39.5 35.2', 'as ResNet-50');
  assert.equal(of(wide, 'name: batch'), undefined);
  assert.equal(of(wide, 'name: layer', pretrained), undefined);
  assert.equal(of(wide, `${frozen}, boxHead: { name: batch } }`, pretrained), undefined);
});
