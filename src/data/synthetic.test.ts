import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Split } from './dataset.js';
import { drawSynthetic, syntheticSizes } from './synthetic.js';

const all = { name: 'synthetic', validation: 'test' } as const;

it('is the same every time, balanced, and of the sizes it says', () => {
  const [one, other] = [drawSynthetic(all), drawSynthetic(all)];
  assert.deepEqual(one.checksums, other.checksums);
  assert.equal(one.train.count, syntheticSizes.train);
  assert.equal(one.validation.count, syntheticSizes.validation);
  assert.notEqual(one.checksums.train, one.checksums.validation);
  const counts = new Array(one.classes).fill(0);
  for (const label of one.train.labels) counts[label]++;
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
});

it('is more than a linear classifier can learn, and not beyond learning', () => {
  const { train, validation, classes } = drawSynthetic(all);
  const accuracy = linearAccuracy(train, validation, classes);
  assert.ok(accuracy > 0.15 && accuracy < 0.6, `accuracy ${accuracy}`);
});

/** Accuracy of softmax regression on the pixels, trained by SGD until it no longer gets better by much. */
function linearAccuracy(train: Split, validation: Split, classes: number): number {
  const size = train.images.length / train.count;
  const weights = Array.from({ length: classes }, () => new Float64Array(size + 1));
  const pixels = new Float64Array(size + 1);
  const scores = (split: Split, index: number): number[] => {
    for (let i = 0; i < size; i++) pixels[i] = (split.images[index * size + i] - 127) / 50;
    pixels[size] = 1;
    return weights.map((row) => {
      let sum = 0;
      for (let i = 0; i <= size; i++) sum += row[i] * pixels[i];
      return sum;
    });
  };
  const epochs = 12;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = 1e-4 * (1 - epoch / epochs);
    for (let index = 0; index < train.count; index++) {
      const logits = scores(train, index);
      const most = Math.max(...logits);
      const exponentials = logits.map((logit) => Math.exp(logit - most));
      const total = exponentials.reduce((sum, value) => sum + value, 0);
      for (const [label, row] of weights.entries()) {
        const step = rate * (exponentials[label] / total - Number(label === train.labels[index]));
        for (let i = 0; i <= size; i++) row[i] -= step * pixels[i];
      }
    }
  }
  let right = 0;
  for (let index = 0; index < validation.count; index++) {
    const logits = scores(validation, index);
    right += Number(logits.indexOf(Math.max(...logits)) === validation.labels[index]);
  }
  return right / validation.count;
}
