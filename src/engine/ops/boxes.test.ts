import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { lossAndGradients } from '../gradients.js';
import { kernels } from '../kernel-table.js';
import { loadEngine, tf } from '../load.js';
import { anchorsOf } from './anchors.js';
import { type BoxWeights, clipBoxes, clippedBoxes, decodeBoxes, encodeBoxes } from './box-coding.js';
import { suppress } from './detection.js';
import { binaryCrossEntropy, chosenCrossEntropy, smoothL1 } from './detection-losses.js';
import { topOfLevels } from './top-boxes.js';

interface Fixture {
  anchors: (Parameters<typeof anchorsOf>[0] & { anchors: number[] })[];
  codes: {
    count: number;
    weights: BoxWeights;
    encoded: number[];
    decoded: number[];
    gradient: number[];
    clipped: number[];
  }[];
  losses: { count: number; beta: number; loss: number[]; gradient: number[] }[];
  maskLosses: {
    rows: number;
    height: number;
    width: number;
    channels: number;
    loss: number[];
    gradient: number[];
  }[];
}
const fixture: Fixture = JSON.parse(readFileSync('src/engine/ops/fixtures/boxes.json', 'utf8'));

// The inputs of fixtures/boxes.py.
const wave = (count: number, step: number, scale = 1) =>
  Float32Array.from({ length: count }, (_, i) => scale * Math.sin(i * step + step));
function boxesOf(count: number, side: number, seed: number): Tensor {
  let state = seed;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const rows = Array.from({ length: count }, () => {
    const [a, b, c, d] = [draw(), draw(), draw(), draw()];
    const [x, y] = [a * side * 1.2 - side * 0.1, b * side * 1.2 - side * 0.1];
    return [x, y, x + 0.5 + c ** 2 * side, y + 0.5 + d ** 2 * side];
  });
  return tf.tensor(Float32Array.from(rows.flat()), [count, 4]);
}
const values = (tensor: Tensor) => Array.from(tensor.dataSync() as Float32Array);
const int32 = (numbers: number[], shape: number[]) => tf.tensor(Int32Array.from(numbers), shape, 'int32');

function assertNear(actual: number[], expected: number[], tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (const [i, value] of actual.entries()) {
    const allowed = tolerance * Math.max(1, Math.abs(expected[i]));
    if (!(Math.abs(value - expected[i]) <= allowed))
      assert.fail(`${what}, element ${i}: ${value}, not ${expected[i]}`);
  }
}

for (const use of ['kernels', 'definitions'] as const)
  describe(`a detector's parts agree with torchvision's, by ${use}`, () => {
    before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true }));

    for (const { anchors, ...options } of fixture.anchors) {
      const { height, width, sizes, ratios } = options;
      it(`anchors of a ${height} × ${width} map, ${sizes.length} sizes and ${ratios.length} ratios`, () => {
        assert.deepEqual([...anchorsOf({ ...options, rounded: true })], anchors);
        const exact = anchorsOf(options);
        const areas = sizes.map((size) => size ** 2);
        for (let at = 0; at < exact.length; at += 4) {
          const [w, h] = [exact[at + 2] - exact[at], exact[at + 3] - exact[at + 1]];
          assert.ok(
            areas.some((area) => Math.abs(w * h - area) < area * 1e-5),
            `area ${w * h}`,
          );
        }
      });
    }

    for (const { count, weights, encoded, decoded, gradient, clipped } of fixture.codes) {
      it(`codes of ${count} boxes, weights ${weights}`, () => {
        const [truth, references] = [boxesOf(count, 90, 4), boxesOf(count, 90, 8)];
        assertNear(values(encodeBoxes(truth, references, weights)), encoded, 2e-5, 'encoded');
        const codes = tf.tensor(wave(4 * count, 0.61, 30), [count, 4]);
        const weight = tf.tensor(wave(4 * count, 0.43), [count, 4]);
        assertNear(values(decodeBoxes(codes, references, weights)), decoded, 2e-6, 'decoded');
        const { gradients } = lossAndGradients(
          () => decodeBoxes(codes, references, weights).mul(weight).sum(),
          [codes],
        );
        assertNear(values(gradients[0]), gradient, 2e-6, 'gradient');
        const both = tf.stack([truth, truth]);
        const sizes = tf.tensor([61, 83, 1000, 2000], [2, 2]);
        const [first, second] = tf.unstack(clipBoxes(both, sizes));
        assertNear(values(first), clipped, 1e-7, 'clipped');
        assert.deepEqual(values(second), values(truth.maximum(0)));
        const around = references.add(tf.tensor([[-9, -9, 9, 9]]));
        // Cut off at a border beyond all boxes, what is right of and below the origin stays.
        const far = tf.tensor([1e9, 1e9], [1, 2]);
        const cut = clippedBoxes(codes.expandDims(0), references.expandDims(0), weights, far, kernels(use));
        const bounded = decoded.map((value) => Math.min(1e9, Math.max(0, value)));
        assertNear(values(cut), bounded, 2e-6, 'decoded and cut off');
        const back = decodeBoxes(encodeBoxes(truth, around, weights), around, weights);
        assertNear(values(back), values(truth), 1e-5, 'decoded codes');
      });
    }

    it('a box without an area, such as padding, has finite codes', () => {
      const boxes = tf.tensor([0, 0, 0, 0, 5, 5, 5, 9], [2, 4]);
      for (const [a, b] of [
        [boxes, boxesOf(2, 50, 1)],
        [boxesOf(2, 50, 1), boxes],
      ]) {
        assert.ok(values(encodeBoxes(a, b, [10, 10, 5, 5])).every(Number.isFinite));
      }
    });

    for (const { count, beta, loss, gradient } of fixture.losses) {
      it(`smooth L1 of ${count} numbers, β ${beta.toFixed(2)}`, () => {
        const x = tf.tensor(wave(count, 0.37, 2));
        const other = wave(count, 0.91);
        other.set(wave(count, 0.37, 2).subarray(3, 5), Math.min(3, count));
        const target = tf.tensor(other);
        const weight = tf.tensor(wave(count, 0.43));
        const losses = () => smoothL1(x, target, beta, kernels(use));
        assertNear(values(losses()), loss, 1e-6, 'loss');
        const { gradients } = lossAndGradients(() => losses().mul(weight).sum(), [x]);
        assertNear(values(gradients[0]), gradient, 1e-6, 'gradient');
      });
    }

    for (const { rows, height, width, channels, loss, gradient } of fixture.maskLosses) {
      it(`binary cross-entropy over the chosen of ${channels} channels, ${rows} maps of ${height} × ${width}`, () => {
        const shape = [rows, height, width];
        const size = rows * height * width;
        const maps = tf.tensor(wave(size * channels, 0.37, 40), [...shape, channels]);
        const target = tf.tensor(
          wave(size, 0.77).map((value) => value * 0.5 + 0.5),
          shape,
        );
        const channel = int32(
          Array.from({ length: rows }, (_, i) => (3 * i + 1) % channels),
          [rows],
        );
        const weight = tf.tensor(wave(size, 0.43), shape);
        const losses = () => chosenCrossEntropy(maps, channel, target, kernels(use));
        assertNear(values(losses()), loss, 1e-6, 'loss');
        const { gradients } = lossAndGradients(() => losses().mul(weight).sum(), [maps]);
        assertNear(values(gradients[0]), gradient, 1e-6, 'gradient');
      });
    }

    it('binary cross-entropy of extreme logits is finite', () => {
      const x = tf.tensor([-1e4, 1e4, 0]);
      assert.deepEqual(values(binaryCrossEntropy(x, tf.tensor([1, 0, 0.5]))).slice(0, 2), [1e4, 1e4]);
      assert.deepEqual(values(binaryCrossEntropy(x, tf.tensor([0, 1, 0.5]))).slice(0, 2), [0, 0]);
    });

    it('the best of each level, fewer where it has fewer; ties go to the first, and boxes too small to none', () => {
      const boxes = (counts: number[]) =>
        tf.tensor(
          counts.flatMap((i) => [i, i, i + (i % 10 === 3 ? 0 : 5), i + 5]),
          [2, counts.length / 2, 4],
        );
      const first = {
        boxes: boxes([0, 1, 2, 3, 10, 11, 12, 13]),
        scores: tf.tensor([5, 7, 7, 6, 1, 2, 3, 4], [2, 4]),
      };
      const second = { boxes: boxes([20, 21, 30, 31]), scores: tf.tensor([0.5, 0.6, 0.1, 0.1], [2, 2]) };
      const best = topOfLevels([first, second], { limit: 3, leastSide: 1 }, kernels(use));
      const lefts = (best.boxes.arraySync() as number[][][]).map((rows) => rows.map(([left]) => left));
      assert.deepEqual(lefts, [
        [1, 2, 3, 21, 20],
        [13, 12, 11, 30, 31],
      ]);
      assert.deepEqual(values(best.group), [0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
      const none = Math.fround(-1e30);
      const expected = [7, 7, none, 0.6, 0.5, none, 3, 2, 0.1, 0.1].map(Math.fround);
      assert.deepEqual(values(best.scores), expected);
      const options = { threshold: 0.99, minScore: -1e29, limit: 6 };
      const { kept, valid } = suppress(best.boxes, best.scores, best.group, options);
      assert.deepEqual(values(valid), [4, 4]);
      assert.deepEqual((kept.arraySync() as number[][])[0], [0, 1, 3, 4, -1, -1]);
    });
  });
