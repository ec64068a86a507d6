import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataType } from '../data-type.js';
import { ints, type } from '../operation.js';
import { loadTestEngine } from '../testing/test-engine.js';
import { computesOnGpu, type Format, type Input, runOp } from './testing/direct.js';

const values = (count: number, step: number, scale = 1) =>
  Float32Array.from({ length: count }, (_, i) => scale * Math.sin(i * step + step));
const inputOf = (shape: number[], data: Float32Array, format?: Input['format']): Input => ({
  shape,
  data,
  format,
});

/** In float64: the mean loss, the number of wrong images and the gradient. */
function softmaxLoss(logits: Float32Array, labels: number[], classes: number) {
  let loss = 0;
  let errors = 0;
  const gradient = new Float64Array(logits.length);
  for (const [n, label] of labels.entries()) {
    const row = Array.from(logits.subarray(n * classes, (n + 1) * classes));
    const sum = row.reduce((total, value) => total + Math.exp(value), 0);
    errors += row.indexOf(Math.max(...row)) === label ? 0 : 1;
    for (const [k, value] of row.entries()) {
      const target = k === label ? 1 : 0;
      loss -= (target * (value - Math.log(sum))) / labels.length;
      gradient[n * classes + k] = (Math.exp(value) / sum - target) / labels.length;
    }
  }
  return { loss, errors, gradient };
}

function assertNear(actual: Float32Array, expected: Float64Array, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++)
    if (!(Math.abs(actual[i] - expected[i]) <= tolerance))
      assert.fail(`element ${i}: ${actual[i]} where ${expected[i]} is right`);
}

describe("the operations at the net's end", () => {
  before(() => loadTestEngine({ threads: { intraOp: 2, interOp: 1 }, compiler: 'none' }));

  it('GnbenchSoftmaxLoss', () => {
    for (const [images, classes] of [
      [1, 1],
      [2, 10],
      [300, 7],
      [5, 1000],
    ]) {
      const logits = values(images * classes, 0.7, 5);
      const labels = Array.from({ length: images }, (_, n) => (n * 3) % classes);
      const inputs = [
        inputOf([images, classes], logits),
        inputOf([images], Float32Array.from(labels), 'int32'),
      ];
      const [loss, errors, gradient] = runOp('GnbenchSoftmaxLoss', [], inputs, 3);
      const expected = softmaxLoss(logits, labels, classes);
      assert.ok(Math.abs(loss.data[0] - expected.loss) <= 1e-6 * Math.max(1, expected.loss));
      assert.equal(errors.data[0], expected.errors);
      assertNear(gradient.data, expected.gradient, 1e-7);
      assert.deepEqual([loss.shape, errors.shape, gradient.shape], [[], [], [images, classes]]);
    }
  });

  it('GnbenchSoftmaxLoss: large logits, NaN, labels out of range', () => {
    const run = (logits: number[], label: number) =>
      runOp(
        'GnbenchSoftmaxLoss',
        [],
        [inputOf([1, 3], Float32Array.from(logits)), inputOf([1], Float32Array.of(label), 'int32')],
        3,
      ).map(({ data }) => data);
    const [loss, errors] = run([1000, -1000, 999], 0);
    assert.ok(Math.abs(loss[0] - Math.log(1 + Math.exp(-1))) < 1e-6);
    assert.equal(errors[0], 0);
    const [bad, wrong] = run([Number.NaN, 0, 1], 0);
    assert.ok(Number.isNaN(bad[0]) && wrong[0] === 1);
    if (computesOnGpu()) {
      // Which cannot refuse: it would have to tell the host.
      for (const label of [3, -1]) assert.ok(Number.isNaN(run([1, 2, 3], label)[0][0]));
      return;
    }
    assert.throws(() => run([1, 2, 3], 3), /label 3 of 3 classes/);
    assert.throws(() => run([1, 2, 3], -1), /label -1 of 3 classes/);
  });

  for (const format of ['float', 'bfloat16'] satisfies Format[]) {
    it(`GnbenchGlobalAverage and its gradient, ${format}`, () => {
      for (const [images, height, width, channels] of [
        [2, 8, 8, 64],
        [3, 7, 5, 10],
        [1, 1, 1, 16],
      ]) {
        const shape = [images, height, width, channels];
        const pixels = height * width;
        // Multiples of 1/4 below 8: exact in bfloat16.
        const x = Float32Array.from(
          { length: images * pixels * channels },
          (_, i) => (((i * 7) % 61) - 30) / 4,
        );
        const expected = new Float64Array(images * channels);
        for (let i = 0; i < x.length; i++)
          expected[Math.floor(i / channels / pixels) * channels + (i % channels)] += x[i] / pixels;
        const [y] = runOp(
          'GnbenchGlobalAverage',
          [type('T', DataType[format])],
          [inputOf(shape, x, format)],
          1,
        );
        assert.deepEqual(y.shape, [images, channels]);
        assertNear(y.data, expected, 1e-6);

        const dy = Float32Array.from({ length: images * channels }, (_, i) => ((i % 15) - 7) * pixels);
        const [dx] = runOp(
          'GnbenchGlobalAverageGrad',
          [type('T', DataType[format]), ints('height', height), ints('width', width)],
          [inputOf([images, channels], dy)],
          1,
        );
        assert.deepEqual(dx.shape, shape);
        assertNear(
          dx.data,
          Float64Array.from(
            x,
            (_, i) => dy[Math.floor(i / channels / pixels) * channels + (i % channels)] / pixels,
          ),
          0,
        );
      }
    });
  }
});
