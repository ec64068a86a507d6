/** The kernels of box codes, of a detector's losses and of the best of levels against their definitions. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { lossAndGradients } from '../gradients.js';
import { loadEngine } from '../load.js';
import { clippedBoxes } from '../ops/box-coding.js';
import { chosenCrossEntropy, smoothL1 } from '../ops/detection-losses.js';
import { topOfLevels } from '../ops/top-boxes.js';
import { assertNear, both, generator, type Inputs } from './testing/compiled-step.js';

/** Numbers from −`scale` to `scale`. */
function numbers(shape: number[], scale: number, seed: number): Inputs[string] {
  const draw = generator(seed);
  const length = shape.reduce((product, extent) => product * extent, 1);
  return { shape, data: Float32Array.from({ length }, () => scale * (2 * draw() - 1)) };
}

describe("box codes', losses' and levels' kernels and definitions give the same in a compiled step", () => {
  before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true }));

  for (const [count, each] of [
    [0, 1],
    [1, 1],
    [37, 1],
    [4099, 1],
    [0, 3],
    [7, 1],
    [67, 81],
  ]) {
    it(`boxes of ${count} references with ${each} codes each, cut off at the border`, () => {
      for (const shared of [true, false]) {
        const references = numbers([shared ? 1 : 2, count, 4], 60, 5);
        // Some references have no area, as padding has none, or reach from right to left.
        for (let i = 0; i < references.data.length; i++)
          if (i % 20 < 16 && i % 4 > 1)
            references.data[i] = references.data[i - 2] + Math.abs(references.data[i]);
        const codes = numbers(each === 1 ? [2, count, 4] : [2, count, each, 4], 3, 6);
        for (let i = 0; i < codes.data.length; i += 7) codes.data[i] *= 200;
        const sizes = { shape: [2, 2], data: Float32Array.of(61, 83, 40.5, 33) };
        const { own, definition } = both({ codes, references, sizes }, (step, use) => {
          const [code, reference, size] = ['codes', 'references', 'sizes'].map((name) => step.feed(name));
          return { boxes: clippedBoxes(code, reference, [10, 10, 5, 5], size, use) };
        });
        assert.equal(own.boxes.length, 2 * count * each * 4);
        assertNear(own.boxes, definition.boxes, 1e-6, 'boxes');
      }
    });
  }

  for (const count of [0, 1, 41, 16_391]) {
    it(`smooth L1 of ${count} numbers and its gradient`, () => {
      for (const beta of [0, 1 / 9, 1]) {
        const [x, target, weight] = [3, 4, 5].map((seed) => numbers([count], 2, seed));
        for (let i = 0; i < count; i += 5) x.data[i] = target.data[i];
        const { own, definition } = both({ x, target, weight }, (step, use) => {
          const [input, wanted, factor] = ['x', 'target', 'weight'].map((name) => step.feed(name));
          const loss = () => smoothL1(input, wanted, beta, use);
          const { gradients } = lossAndGradients(() => loss().mul(factor).sum(), [input]);
          return { loss: loss(), gradient: gradients[0] };
        });
        for (const name of ['loss', 'gradient']) assertNear(own[name], definition[name], 1e-6, name);
      }
    });
  }

  for (const [rows, height, width, channels] of [
    [0, 7, 7, 3],
    [1, 1, 1, 2],
    [5, 7, 3, 4],
    [67, 28, 28, 21],
  ]) {
    it(`cross-entropy of ${rows} maps of ${height} × ${width}, of ${channels} channels, and its gradient`, () => {
      const inputs: Inputs = {
        maps: numbers([rows, height, width, channels], 40, 8),
        targets: numbers([rows, height, width], 0.5, 9),
        weight: numbers([rows, height, width], 1, 10),
        channel: { shape: [rows], data: Int32Array.from({ length: rows }, (_, i) => (3 * i + 1) % channels) },
      };
      inputs.targets.data.forEach((value, i, all) => {
        all[i] = value + 0.5;
      });
      const extreme = [-1e4, 1e4, 0, -87.5, 1e-6];
      if (rows > 1)
        inputs.maps.data.forEach((_, i, all) => {
          if (i % 11 === 0) all[i] = extreme[i % 5];
        });
      const { own, definition } = both(inputs, (step, use) => {
        const [maps, channel, targets, weight] = ['maps', 'channel', 'targets', 'weight'].map((name) =>
          step.feed(name),
        );
        const loss = () => chosenCrossEntropy(maps, channel, targets, use);
        const { gradients } = lossAndGradients(() => loss().mul(weight).sum(), [maps]);
        return { loss: loss(), gradient: gradients[0] };
      });
      assert.equal(own.gradient.length, rows * height * width * channels);
      for (const [i, value] of own.loss.entries())
        assertNear(Float32Array.of(value), definition.loss.subarray(i, i + 1), 1e-6, `loss ${i}`);
      assertNear(own.gradient, definition.gradient, 1e-6, 'gradient');
    });
  }

  for (const counts of [[1], [37, 5], [4001, 700, 30, 2]]) {
    it(`the best of levels with ${counts.join(', ')} candidates, ties among them`, () => {
      for (const [limit, leastSide] of [
        [1, 0],
        [30, 3],
        [1000, 1],
      ]) {
        for (const values of [1, 50, 1e6]) {
          const inputs: Inputs = {};
          for (const [level, count] of counts.entries()) {
            const scores = numbers([2, count], 4, 20 + level);
            scores.data.forEach((score, i, all) => {
              all[i] = values === 1 ? 0.5 : Math.round((score * values) / 8) / values;
            });
            inputs[`scores${level}`] = scores; // 0 and −0 among them
            inputs[`boxes${level}`] = numbers([2, count, 4], 20, 30 + level);
          }
          const { own, definition } = both(inputs, (step, use) => {
            const levels = counts.map((_, level) => ({
              scores: step.feed(`scores${level}`),
              boxes: step.feed(`boxes${level}`),
            }));
            return { ...topOfLevels(levels, { limit, leastSide }, use) };
          });
          assert.deepEqual(own, definition);
        }
      }
    });
  }
});
