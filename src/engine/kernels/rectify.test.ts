import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataType } from '../data-type.js';
import { bools, type } from '../operation.js';
import { loadTestEngine } from '../testing/test-engine.js';
import { type Format, runOp } from './testing/direct.js';

/** Multiples of 1/8 below 8 in size: sums of two of them are exact, in bfloat16 too. */
const grid = (count: number, step: number) =>
  Float32Array.from({ length: count }, (_, i) => (((i * step) % 127) - 63) / 8);

describe('GnbenchRectify and its gradient', () => {
  before(() => loadTestEngine({ threads: { intraOp: 2, interOp: 1 }, compiler: 'none' }));

  for (const format of ['float', 'bfloat16'] satisfies Format[]) {
    for (const shape of [[1], [3, 5], [2, 7, 7, 3], [2, 3, 3, 16], [16, 32, 32, 17]]) {
      it(`${format} ${shape.join('×')}`, () => {
        const count = shape.reduce((a, b) => a * b, 1);
        const T = type('T', DataType[format]);
        const [x, residual, dy] = [5, 11, 7].map((step) => ({ shape, data: grid(count, step), format }));
        const none = { shape: [0], data: new Float32Array(0), format };
        for (const added of [none, residual]) {
          const attributes = [T, bools('has_residual', added !== none)];
          const [y] = runOp('GnbenchRectify', attributes, [x, added], 1);
          const expected = x.data.map((value, i) => Math.max(value + (added.data[i] ?? 0), 0));
          assert.deepEqual(y, { shape, data: expected });
          const [dx] = runOp('GnbenchRectifyGrad', [T], [dy, { ...y, format }], 1);
          assert.deepEqual(dx, { shape, data: dy.data.map((value, i) => (expected[i] > 0 ? value : 0)) });
        }
      });
    }

    it(`${format}: a NaN stays a NaN`, () => {
      const x = { shape: [2], data: Float32Array.of(Number.NaN, -1), format };
      const attributes = [type('T', DataType[format]), bools('has_residual', false)];
      const [{ data }] = runOp(
        'GnbenchRectify',
        attributes,
        [x, { ...x, shape: [0], data: new Float32Array(0) }],
        1,
      );
      assert.deepEqual(data, Float32Array.of(Number.NaN, 0));
    });
  }

  it('refuses what does not fit', () => {
    const zeros = (shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
    const T = type('T', DataType.float);
    const forward = () =>
      runOp('GnbenchRectify', [T, bools('has_residual', true)], [zeros([2, 2]), zeros([4])], 1);
    assert.throws(forward, /residual has shape/);
    assert.throws(() => runOp('GnbenchRectifyGrad', [T], [zeros([2, 2]), zeros([4])], 1), /y has shape/);
  });
});
