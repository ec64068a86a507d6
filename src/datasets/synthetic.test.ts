import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Split } from './dataset.js';
import { drawSynthetic, syntheticSizes } from './synthetic.js';

const all = { name: 'synthetic', validation: 'test', augment: true } as const;

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

it('is drawn to the same bytes on every machine', () => {
  const { checksums } = drawSynthetic(all);
  assert.equal(checksums.train, '32ef4311cbb544ce1b639f1afc94bde6a40f814a746422ae6a52401593efa90c');
  assert.equal(checksums.validation, '009c960b630c98620b8855a858e181fc9ed8b187780bd06681a88c2d6fe72434');
});

it('has the mean and the spread that it states', () => {
  const { train, mean, std } = drawSynthetic(all);
  for (let channel = 0; channel < 3; channel++) {
    let sum = 0;
    let squares = 0;
    for (let at = channel; at < train.images.length; at += 3) {
      sum += train.images[at];
      squares += train.images[at] ** 2;
    }
    const count = train.images.length / 3;
    assert.ok(Math.abs(sum / count - mean[channel]) < 2, `mean ${sum / count}`);
    assert.ok(Math.abs(Math.sqrt(squares / count - (sum / count) ** 2) - std[channel]) < 2);
  }
});

it('is the same image whichever others are asked for, and only those', () => {
  const whole = drawSynthetic(all);
  const part = drawSynthetic({ ...all, trainSubset: 30, validation: { fromTrain: 20 } });
  const images = (split: Split) =>
    Array.from({ length: split.count }, (_, index) =>
      Buffer.from(split.images.subarray(index * 3072, (index + 1) * 3072)).toString('latin1'),
    );
  const known = new Map(images(whole.train).map((image, index) => [image, whole.train.labels[index]]));
  for (const split of [part.train, part.validation]) {
    images(split).forEach((image, index) => {
      assert.equal(known.get(image), split.labels[index]);
    });
  }
  assert.equal(new Set([...images(part.train), ...images(part.validation)]).size, 50);
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
