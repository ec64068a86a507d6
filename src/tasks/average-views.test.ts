import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classification } from './classification.js';

/** Two videos of class 0 and 1, two views each, in batches of the given sizes. */
function judge(rows: number[][], labels: number[], sizes: number[]) {
  const evaluator = classification().evaluator({ views: 2 });
  let from = 0;
  for (const size of sizes) {
    const logits = Float32Array.from(rows.slice(from, from + size).flat());
    const each = Int32Array.from(labels.slice(from, from + size));
    evaluator.add({ logits, errors: Float32Array.of(size) }, { labels: each }, size);
    from += size;
  }
  return evaluator.result();
}

const rows = [
  // Probabilities 0.9 and 0.2 of the right class: the mean, 0.55, is right.
  [Math.log(0.9), Math.log(0.1)],
  [Math.log(0.2), Math.log(0.8)],
  // 0.45 and 0.45: wrong, though logits of any size may be added.
  [Math.log(0.55) + 100, Math.log(0.45) + 100],
  [Math.log(0.55), Math.log(0.45)],
];

test('the views of a video are averaged as probabilities, wherever batches end', () => {
  for (const sizes of [[4], [1, 2, 1], [3, 1]]) {
    const { loss, error } = judge(rows, [0, 0, 1, 1], sizes);
    assert.equal(error, 50);
    assert.ok(Math.abs(loss - (-Math.log(0.55) - Math.log(0.45)) / 2) < 1e-5);
  }
});

test('top-5 is of videos too', () => {
  const sure = (at: number) => Array.from({ length: 7 }, (_, index) => (index === at ? 3 : -index));
  const { top5Error, error } = judge([sure(0), sure(0), sure(1), sure(0)], [0, 0, 6, 6], [4]);
  assert.deepEqual([error, top5Error], [50, 50]);
});

test('a prediction that is no number is an error', () => {
  const broken = [Number.NaN, 1];
  assert.equal(judge([broken, rows[0], rows[0], rows[0]], [0, 0, 0, 0], [4]).error, 50);
});
