import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptySplit } from '../datasets/dataset.js';
import { sourceOf } from '../input/dataset-source.js';
import { classification } from '../tasks/classification.js';
import { evaluate } from './evaluation.js';

/** Evaluates with given logits, so many images at a time; label n is class n. */
async function evaluateLogits(rows: number[][], batchSize = 2) {
  const count = rows.length;
  const split = emptySplit(count, 1);
  split.labels.forEach((_, index, labels) => {
    labels[index] = index;
  });
  const source = sourceOf({ shape: [1, 1, 1], mean: [], train: split, validation: split }, 'validation');
  let from = 0;
  const step = (_: unknown, size: number) => {
    const logits = Float32Array.from(rows.slice(from, from + size).flat());
    from += size;
    return { logits, errors: Float32Array.of(1) };
  };
  return evaluate(step, classification(), source, batchSize, async () => false);
}

test('loss and errors are means over the images, the last batch at its own size', async () => {
  const found = await evaluateLogits([
    [1, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
  ]);
  const normalizer = Math.log(1 + 2 * Math.exp(-1));
  assert.ok(Math.abs(found!.loss - (normalizer + 2 * (normalizer + 1)) / 3) < 1e-15);
  assert.equal(found!.error, (100 * 2) / 3);
});

test('the loss of the same logits is the same to its last bit, whatever the batches', async () => {
  const rows = Array.from({ length: 50 }, (_, image) =>
    Array.from({ length: 50 }, (_, label) => Math.sin(image * 7.3 + label * 1.9) * 5),
  );
  const losses = await Promise.all(
    [1, 3, 7, 50].map(async (size) => (await evaluateLogits(rows, size))!.loss),
  );
  assert.deepEqual(losses, new Array(4).fill(losses[0]));
  const [infinite, nothing] = [
    [Number.POSITIVE_INFINITY, 0],
    [Number.NaN, 0],
  ];
  for (const row of [infinite, nothing]) assert.ok(Number.isNaN((await evaluateLogits([row]))!.loss));
});

test('a label is among the top five when fewer than five classes have larger logits', async () => {
  const found = await evaluateLogits([
    [0, 1, 2, 3, 4, -1], // four are larger
    [9, 0, 9, 9, 9, 9], // five
    [7, 7, 7, 7, 7, 7], // none: as many as there are
    [Number.NaN, 1, 1, 0, 1, 1], // five, as what is no number counts
    [0, 0, 0, 0, Number.NaN, 0], // its own is none
    [0, 0, 0, 0, 0, 1],
  ]);
  assert.equal(found?.top5Error, 50);
});
