import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { decodeMask, mergeMasks } from '../coco/run-length.js';
import { drawScene, sceneCategories } from './scenes.js';

test('scenes are the same bytes on every machine', () => {
  const hash = createHash('sha256');
  for (let index = 0; index < 8; index++) {
    const { pixels, objects } = drawScene(1, index, 128);
    hash.update(pixels);
    for (const { mask } of objects) hash.update(mask.counts);
  }
  assert.equal(hash.digest('hex').slice(0, 16), '3a8e98188d98dbf5');
  assert.notDeepEqual(drawScene(1, 0, 64).pixels, drawScene(2, 0, 64).pixels);
});

test('every category and size of object appears; masks do not overlap, and fill a good part of their boxes', () => {
  const counts = new Map<string, number>();
  const count = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (let index = 0; index < 200; index++) {
    const { objects } = drawScene(1, index, 128);
    assert.ok(objects.length >= 1 && objects.length <= 8);
    count(`${objects.length} objects`);
    for (const { category, area, box, mask } of objects) {
      count(sceneCategories[category - 1]);
      count(area < 32 ** 2 ? 'small' : 'medium');
      assert.ok(area > 0.15 * box[2] * box[3], `scene ${index}: ${area} of ${box}`);
      assert.equal(mask.height * mask.width, 128 ** 2);
    }
    const whole = decodeMask(mergeMasks(objects.map(({ mask }) => mask)));
    const covered = whole.reduce((sum, value) => sum + value, 0);
    assert.equal(
      covered,
      objects.reduce((sum, { area }) => sum + area, 0),
    );
  }
  for (const key of [...sceneCategories, 'small', 'medium', '1 objects', '6 objects']) {
    assert.ok((counts.get(key) ?? 0) > 10, `${key}: ${counts.get(key)}`);
  }
});
