import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptySplit } from '../datasets/dataset.js';
import { ragged, sharedArrays, writeRagged } from './batch.js';
import { openTrainBatches } from './batches.js';
import { changedBy } from './changed-source.js';
import { sourceOf } from './dataset-source.js';
import { openEvaluationBatches } from './evaluation-batches.js';
import type { SourceDescription } from './example-source.js';
import { epochOrder } from './order.js';

const split = emptySplit(5, 3);
split.images.forEach((_, at) => {
  split.images[at] = at;
});
split.labels.set([0, 1, 2, 3, 4]);
const dataset = { shape: [1, 1, 3] as [number, number, number], mean: [], train: split, validation: split };
const address = new URL('../../src/input/fixtures/two-views.mjs', import.meta.url).href;
const changer = { address, options: {} };

test('ragged rows are padded with zeros, and a mask says which are there', () => {
  const spec = ragged({ boxes: { shape: [2], dtype: 'float32' }, classes: { shape: [], dtype: 'int32' } }, 3);
  assert.deepEqual(spec, {
    boxes: { shape: [3, 2], dtype: 'float32' },
    classes: { shape: [3], dtype: 'int32' },
    valid: { shape: [3], dtype: 'float32' },
  });
  const arrays = sharedArrays(spec, 3);
  for (const values of Object.values(arrays)) values.fill(9);
  assert.equal(writeRagged(spec, arrays, 1, { boxes: [1, 2, 3, 4], classes: [7, 8] }), 0);
  assert.deepEqual([...arrays.boxes.subarray(6, 12)], [1, 2, 3, 4, 0, 0]);
  assert.deepEqual([...arrays.classes], [9, 9, 9, 7, 8, 0, 9, 9, 9]);
  assert.deepEqual([...arrays.valid], [9, 9, 9, 1, 1, 0, 9, 9, 9]);
  assert.equal(writeRagged(spec, arrays, 2, { boxes: new Float32Array(10), classes: [1, 2, 3, 4, 5] }), 2);
  assert.deepEqual([...arrays.classes.subarray(6)], [1, 2, 3]);
  assert.equal(writeRagged(spec, arrays, 0, { boxes: [], classes: [] }), 0);
  assert.deepEqual([...arrays.valid.subarray(0, 3)], [0, 0, 0]);
  assert.throws(() => writeRagged(spec, arrays, 0, { boxes: [1, 2], classes: [] }), /1 and 0 rows/);
});

test('a module changes the examples: evaluation sees every view of each, one after another', async () => {
  const source = await changedBy(changer, sourceOf(dataset, 'validation'));
  assert.deepEqual(
    [source.count, source.views, Object.keys(source.spec)],
    [5, 2, ['images', 'ones', 'valid']],
  );
  const batches = openEvaluationBatches(source, { batchSize: 3 });
  const [images, ones, rows]: number[][] = [[], [], []];
  for (let next = batches.next(); next; next = batches.next()) {
    images.push(...next.batch.images);
    ones.push(...next.batch.ones);
    rows.push(next.rows);
  }
  await batches.close();
  assert.deepEqual(rows, [3, 3, 3, 1]);
  const pixels = [0, 1, 2, 3, 4].flatMap((image) => [0, 1, 2].map((at) => 3 * image + at));
  const expected = [0, 1, 2, 3, 4].flatMap((image) => {
    const own = pixels.slice(3 * image, 3 * image + 3);
    return [...own, ...own.map((value) => 255 - value)];
  });
  assert.deepEqual(images, expected);
  const counts = Array.from(
    { length: 10 },
    (_, row) => ones.slice(4 * row, 4 * row + 4).filter(Boolean).length,
  );
  assert.deepEqual(counts, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
});

test('a module changes the examples of training, too', async () => {
  const source = await changedBy(changer, sourceOf(dataset, 'train'));
  const options = { seed: 1, batchSize: 5, firstStep: 0, stepsPerEpoch: 1, totalSteps: 1, augment: false };
  const batches = openTrainBatches(source, options);
  const { ones } = batches.next();
  const found = Array.from(
    { length: 5 },
    (_, row) => ones.slice(4 * row, 4 * row + 4).filter(Boolean).length,
  );
  assert.deepEqual(found, [...epochOrder(1, 1, 5)]);
  await batches.close();
});

test('what a module changes keeps its canvases and its truth', async () => {
  const canvases = Uint8Array.from([0, 1, 0, 1, 1]);
  const truth = { images: [] } as unknown as SourceDescription['truth'];
  const inner = { ...sourceOf(dataset, 'validation'), canvases, truth };
  const source = await changedBy(changer, inner);
  assert.deepEqual([...source.canvases!], [...canvases]);
  assert.equal(source.truth, truth);
  // Batches hold examples of one canvas, and so they do when a module changes these.
  const images: number[] = [];
  const batches = openEvaluationBatches(source, { batchSize: 4 });
  for (let next = batches.next(); next; next = batches.next()) {
    for (let row = 0; row < next.rows; row += 2) images.push(next.batch.images[3 * row] / 3);
  }
  await batches.close();
  assert.deepEqual(
    images.map((image) => canvases[image]),
    [0, 0, 1, 1, 1],
  );
  const fewer = { ...inner, canvases: canvases.subarray(1) };
  await assert.rejects(changedBy(changer, fewer), /gives 5 of 4 examples/);
});
