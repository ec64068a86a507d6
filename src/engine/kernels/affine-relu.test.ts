import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataType } from '../data-type.js';
import { bools, type } from '../operation.js';
import { loadTestEngine } from '../testing/test-engine.js';
import { type Format, runOp } from './testing/direct.js';

/** Multiples of 1/8 below 16 in size: sums and products of them are exact, in bfloat16 too. */
const grid = (count: number, step: number) =>
  Float32Array.from({ length: count }, (_, i) => (((i * step) % 63) - 31) / 8);

describe('GnbenchAffineRelu', () => {
  before(() => loadTestEngine({ threads: { intraOp: 2, interOp: 1 }, compiler: 'none' }));

  for (const format of ['float', 'bfloat16'] satisfies Format[]) {
    for (const shape of [
      [2, 3, 3, 16],
      [1, 5, 1, 6],
      [3, 7, 7, 100],
      [4, 10],
      [64, 32, 32, 16],
    ]) {
      it(`${format} ${shape.join('×')}`, () => {
        const channels = shape.at(-1)!;
        const count = shape.reduce((a, b) => a * b, 1);
        const x = grid(count, 5);
        const scale = grid(channels, 7).map((value) => (value > 0 ? 2 : -0.5));
        const shift = grid(channels, 3).map((value) => Math.round(value));
        const residual = grid(count, 11);
        for (const relu of [false, true]) {
          for (const added of [undefined, residual]) {
            const attributes = [
              type('T', DataType[format]),
              bools('relu', relu),
              bools('has_residual', added !== undefined),
            ];
            const [y] = runOp(
              'GnbenchAffineRelu',
              attributes,
              [
                { shape, data: x, format },
                added ? { shape, data: added, format } : { shape: [0], data: new Float32Array(0), format },
                { shape: [channels], data: scale },
                { shape: [channels], data: shift },
              ],
              1,
            );
            const expected = x.map((value, i) => {
              const sum = value * scale[i % channels] + shift[i % channels] + (added?.[i] ?? 0);
              return relu ? Math.max(sum, 0) : sum;
            });
            assert.deepEqual(y.shape, shape);
            for (let i = 0; i < count; i++) {
              const tolerance = format === 'float' ? 0 : Math.abs(expected[i]) * 2 ** -8;
              if (!(Math.abs(y.data[i] - expected[i]) <= tolerance))
                assert.fail(`element ${i}: ${y.data[i]} where ${expected[i]} is right`);
            }
          }
        }
      });
    }
  }

  it('refuses what does not fit', () => {
    const run = (shape: number[], channels: number) => () =>
      runOp(
        'GnbenchAffineRelu',
        [type('T', DataType.float), bools('relu', true), bools('has_residual', false)],
        [
          { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) },
          { shape: [0], data: new Float32Array(0) },
          { shape: [channels], data: new Float32Array(channels) },
          { shape: [channels], data: new Float32Array(channels) },
        ],
        1,
      );
    assert.throws(run([2, 2, 2, 8], 4), /scale has 4 values where 8 are needed/);
    assert.throws(run([8], 8), /must be \[images/);
  });
});
