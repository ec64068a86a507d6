import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'gnbench-score-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, content: unknown) => {
  writeFileSync(join(folder, name), JSON.stringify(content));
  return join(folder, name);
};
const gnbench = (...args: string[]) =>
  spawnSync(process.execPath, ['bin/gnbench.js', ...args], { encoding: 'utf8' });

const box = (x: number) => ({ bbox: [x, 0, 10, 10], segmentation: [[x, 0, x, 10, x + 10, 10, x + 10, 0]] });
const annotations = write('instances.json', {
  images: [{ id: 1, file_name: '1.jpg', width: 60, height: 20 }],
  categories: [
    { id: 1, name: 'cat' },
    { id: 2, name: 'dog' },
  ],
  annotations: [0, 20].map((x, id) => ({
    id,
    image_id: 1,
    category_id: 1,
    iscrowd: 0,
    area: 100,
    ...box(x),
  })),
});
const found = (x: number, score: number) => ({ image_id: 1, category_id: 1, score, bbox: box(x).bbox });

test('eval --detections scores a file of detections as COCO does, and says which categories have no object', () => {
  const detections = write('detections.json', [found(0, 0.9), found(40, 0.8), found(20, 0.7)]);
  const text = gnbench('eval', '--detections', detections, '--annotations', annotations);
  assert.equal(text.status, 0, text.stderr);
  assert.match(text.stdout, /AP50\s+83\.5/); // 51 levels at 1, 50 at 2/3
  assert.match(text.stdout, /1 categories have no object/);
  const json = gnbench('eval', '--detections', detections, '--annotations', annotations, '--json');
  const result = JSON.parse(json.stdout);
  assert.ok(Math.abs(result.box.AP50 - (51 + (50 * 2) / 3) / 101) < 1e-9);
  assert.deepEqual(
    result.box.perCategory.map((each: { name: string }) => each.name),
    ['cat', 'dog'],
  );
});

test('what is missing for a score is named, with exit code 2', () => {
  const detections = write('boxes.json', [found(0, 0.9)]);
  const masks = gnbench('eval', '--detections', detections, '--annotations', annotations, '--by', 'mask');
  assert.deepEqual([masks.status, /detection 0: .*no segmentation/.test(masks.stderr)], [2, true]);
  const nothing = gnbench('eval', '--detections', detections);
  assert.deepEqual([nothing.status, /--annotations/.test(nothing.stderr)], [2, true]);
  const neither = gnbench('eval');
  assert.deepEqual([neither.status, /CONFIG --weights/.test(neither.stderr)], [2, true]);
  const unknown = gnbench(
    'eval',
    '--detections',
    detections,
    '--annotations',
    annotations,
    '--by',
    'keypoints',
  );
  assert.deepEqual([unknown.status, /box, mask or box,mask/.test(unknown.stderr)], [2, true]);
});
