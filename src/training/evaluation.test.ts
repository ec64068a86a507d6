import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptySplit } from '../datasets/dataset.js';
import type { Program } from '../engine/program.js';
import type { Images } from '../input/evaluation-batches.js';
import { evaluate } from './evaluation.js';

/** Evaluates with given logits, two images at a time; label n is class n. */
async function evaluateLogits(rows: number[][]) {
  const count = rows.length;
  const split = emptySplit(count, 1);
  split.labels.forEach((_, index, labels) => {
    labels[index] = index;
  });
  const dataset: Images = { shape: [1, 1, 1], train: split, validation: split };
  let from = 0;
  const program = {
    run(name: string) {
      const size = Number(name.split('/')[1]);
      const logits = Float32Array.from(rows.slice(from, from + size).flat());
      from += size;
      return { logits, loss: Float32Array.of(size), errors: Float32Array.of(1) };
    },
  } as unknown as Program;
  return evaluate(program, dataset, 2, async () => false);
}

test('loss and errors are means over the images, the last batch at its own size', async () => {
  const found = await evaluateLogits([
    [1, 0],
    [1, 0],
    [1, 0],
  ]);
  assert.deepEqual(found, { loss: (2 * 2 + 1) / 3, error: (100 * 2) / 3 });
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
