import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataType } from '../data-type.js';
import { loadEngine } from '../load.js';
import { bools, ints, type } from '../operation.js';
import { type Format, runOp } from './testing/direct.js';

/** The smallest normal number of float32 and of bfloat16; half of it is denormal. */
const smallest = 2 ** -126;

/** The kernels take denormal numbers as 0, on every thread and with every instruction set. */
describe('denormal numbers', () => {
  before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true }));

  for (const format of ['float', 'bfloat16'] satisfies Format[]) {
    const typeOf = () => type('T', DataType[format]);
    const none = { shape: [0], data: new Float32Array(0), format };

    it(`become 0 in the arithmetic of ${format}, and normal ones stay`, () => {
      // Long enough for two threads, each of which takes half of it.
      const shape = [2, 64, 64, 16];
      const count = 2 * 64 * 64 * 16;
      const x = new Float32Array(count).map((_, i) => [smallest, smallest / 2, smallest / 64, 1][i % 4]);
      const vector = (value: number) => ({ shape: [16], data: new Float32Array(16).fill(value) });
      const affine = [typeOf(), bools('relu', false), bools('has_residual', false)];
      const inputs = [{ shape, data: x, format }, none, vector(2), vector(0)];
      const [y] = runOp('GnbenchAffineRelu', affine, inputs, 1);
      const expected = [2 * smallest, 0, 0, 2];
      for (let i = 0; i < count; i++) assert.equal(y.data[i], expected[i % 4], `element ${i}`);
    });

    it(`are 0 to the rectifier of ${format}`, () => {
      const shape = [2, 64, 64, 16];
      const x = new Float32Array(2 * 64 * 64 * 16).map(
        (_, i) => [smallest, smallest / 2, -smallest / 2, -1][i % 4],
      );
      const [y] = runOp(
        'GnbenchRectify',
        [typeOf(), bools('has_residual', false)],
        [{ shape, data: x, format }, none],
        1,
      );
      const expected = [smallest, 0, 0, 0];
      for (let i = 0; i < x.length; i++)
        assert.ok(y.data[i] === expected[i % 4], `element ${i}: ${y.data[i]} of ${x[i]}`);
    });

    it(`are 0 as weights and as pixels of convolutions of ${format}`, () => {
      for (const [pixel, weight] of [
        [2 ** 100, smallest / 2],
        [smallest / 2, 2 ** 100],
      ]) {
        const image = { shape: [1, 8, 8, 16], data: new Float32Array(8 * 8 * 16).fill(pixel), format };
        for (const kernel of [1, 3]) {
          const weights = {
            shape: [kernel, kernel, 16, 16],
            data: new Float32Array(kernel * kernel * 256).fill(weight),
          };
          for (const winograd of [false, true]) {
            const attributes = [typeOf(), ints('stride', 1), bools('winograd', winograd)];
            const [y] = runOp('GnbenchConv', attributes, [image, weights], 1);
            assert.ok(
              y.data.every((value) => value === 0),
              `kernel ${kernel}, winograd ${winograd}: ${y.data[0]}`,
            );
          }
        }
      }
    });
  }
});
