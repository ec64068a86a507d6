import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseConfig } from '../../config/load.js';
import { UserError } from '../../errors.js';
import { planRun } from '../../models/plan.js';
import { loadDataset } from '../index.js';
import { imageFile } from '../testing/image-file.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-coco-'));
after(() => rm(folder, { recursive: true, force: true }));

/** Twelve images with a cat, and in every third one a dog, too. */
const ids = Array.from({ length: 12 }, (_, index) => index + 1);
for (const split of ['train', 'val']) {
  await mkdir(join(folder, split));
  for (const id of ids)
    await imageFile(id, 16, 16)
      .png()
      .toFile(join(folder, split, `${id}.png`));
  const object = (id: number, image_id: number, category_id: number) => ({
    ...{ id, image_id, category_id, iscrowd: 0, area: 16, bbox: [1, 1, 4, 4] },
    segmentation: [[1, 1, 5, 1, 5, 5, 1, 5]],
  });
  await writeFile(
    join(folder, `${split}.json`),
    JSON.stringify({
      categories: ['cat', 'dog'].map((name, index) => ({ id: index + 1, name })),
      images: ids.map((id) => ({ id, file_name: `${id}.png`, width: 16, height: 16 })),
      annotations: ids.flatMap((id) => [
        object(id, id, 1),
        ...(id % 3 === 0 ? [object(id + 100, id, 2)] : []),
      ]),
    }),
  );
}

const parsed = (more: string) =>
  parseConfig(
    `model: { name: mask-rcnn, backbone: resnet18 }
normalizer: group
data: { name: coco, train: ${folder}/train, val: ${folder}/val, trainAnnotations: ${folder}/train.json, valAnnotations: ${folder}/val.json, decodedCache: 0${more} }
batch: { size: 1, workers: 1 }
epochs: 1
`,
    { file: 'a.yaml' },
  );

test('subsets and hold-outs of some classes count among the images that have one of them', async () => {
  for (const [more, trained, validated] of [
    [', classes: [dog]', 4, 12],
    [', classes: [dog], trainSubset: 3', 3, 12],
    [', classes: [dog], validation: { fromTrain: 1 }', 3, 1],
    [', classes: [dog], emptyImages: keep', 12, 12],
    ['', 12, 12],
  ] as const) {
    const config = parsed(more);
    const { train, validation, classes } = await loadDataset(config.data, { quiet: true });
    assert.deepEqual([train.count, validation.count], [trained, validated], more);
    const plan = planRun(config);
    assert.deepEqual([plan.sizes.train, plan.sizes.validation, plan.classes], [trained, validated, classes]);
  }
  assert.throws(() => planRun(parsed(', classes: [dog], trainSubset: 5')), /5 images are asked for/);
});

test('what is expected of the files is of all their classes', async () => {
  const expected = (classes: number) =>
    parsed(`, classes: [dog], expect: { train: 12, val: 12, classes: ${classes} }`).data;
  await loadDataset(expected(2), { quiet: true });
  await assert.rejects(
    loadDataset(expected(1), { quiet: true }),
    (error: unknown) => error instanceof UserError && /expected 1, found 2/.test(error.message),
  );
});

test('smoothed labels have no effect on a detector, and are refused', () => {
  const text = 'model: mask-rcnn\nnormalizer: group\ndata: shapes\noptimizer: { labelSmoothing: 0.1 }\n';
  assert.throws(
    () => parseConfig(text, { file: 'a.yaml' }),
    /optimizer\.labelSmoothing has no effect on a detector/,
  );
});
