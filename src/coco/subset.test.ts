import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { averagePrecision, cocoNumbers } from './average-precision.js';
import type { Box, Detection } from './detections.js';
import { type Instances, instanceMask, readInstances } from './instances.js';
import { boxMask } from './polygon.js';
import { compressCounts } from './run-length.js';

const fixture: { files: { file: string; masks: string[]; box: number[]; mask: number[] }[] } = JSON.parse(
  readFileSync('src/coco/fixtures/subset.json', 'utf8'),
);
const data = process.env.GNBENCH_DATA ?? '';

/** The noise of fixtures/subset.py. */
function noisy({ categories, images, objects }: Instances): Detection[] {
  const sizes = new Map(images.map((image) => [image.id, image]));
  return objects.flatMap((object, index): Detection[] => {
    if (object.crowd) return [];
    const [x, y, w, h] = object.box;
    const box: Box = [
      x + ((index * 7) % 9) - 4,
      y + ((index * 5) % 9) - 4,
      Math.max(1, w + ((index * 3) % 7) - 3),
      Math.max(1, h + ((index * 11) % 7) - 3),
    ];
    const at = categories.findIndex(({ id }) => id === object.category);
    const category = index % 11 === 0 ? categories[(at + 1) % categories.length].id : object.category;
    const size = sizes.get(object.image)!;
    const mask = index % 3 ? instanceMask(object, size) : boxMask(box, size.height, size.width);
    return [{ image: object.image, category, score: ((index * 37) % 101) / 101, box, mask }];
  });
}

for (const { file, masks, box, mask } of fixture.files) {
  const path = join(data, file);
  const skip = data !== '' && existsSync(path) ? false : `needs ${file} in $GNBENCH_DATA`;

  test(`${file}: masks and AP are pycocotools’`, { skip }, async () => {
    const instances = await readInstances(path);
    const sizes = new Map(instances.images.map((image) => [image.id, image]));
    const masksHere = instances.objects.map((object) => instanceMask(object, sizes.get(object.image)!)!);
    const digests = masksHere.map(({ counts }) =>
      createHash('sha256').update(compressCounts(counts)).digest('hex').slice(0, 8),
    );
    assert.deepEqual(digests.slice(0, masks.length), masks);

    const evaluated = {
      images: instances.images.map(({ id }) => id),
      categories: instances.categories.map(({ id }) => id),
      truth: instances.objects.map((object, index) => ({ ...object, mask: masksHere[index] })),
      detections: noisy(instances),
    };
    for (const [by, expected] of [
      ['box', box],
      ['mask', mask],
    ] as const) {
      const found = averagePrecision({ ...evaluated, by });
      const { perCategory, precisionAt50 } = found;
      assert.deepEqual(
        cocoNumbers.map((name) => found[name] ?? -1),
        expected,
        by,
      );
      const some = perCategory.filter(({ objects }) => objects > 0);
      const mean = some.reduce((sum, { AP }) => sum + AP!, 0) / some.length;
      assert.ok(Math.abs(mean - found.AP!) < 1e-12);
      assert.equal(precisionAt50!.length, 101);
    }
  });
}
