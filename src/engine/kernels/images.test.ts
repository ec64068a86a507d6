import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataType } from '../data-type.js';
import { ints, type } from '../operation.js';
import { loadTestEngine } from '../testing/test-engine.js';
import { type Format, runOp } from './testing/direct.js';

const sizeOf = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

describe("the operations at the net's entrance and on its shortcuts", () => {
  before(() => loadTestEngine({ threads: { intraOp: 2, interOp: 1 }, compiler: 'none' }));

  for (const format of ['float', 'bfloat16'] satisfies Format[]) {
    it(`GnbenchImages, ${format}`, () => {
      for (const shape of [
        [2, 32, 32, 3],
        [1, 5, 7, 3],
        [3, 1, 1, 1],
        [40, 32, 32, 3],
        [2, 9, 9, 4],
      ]) {
        const channels = shape[3];
        const pixels = Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i * 37) % 256);
        const mean = Float32Array.of(125.3, 123, 113.9, 7).subarray(0, channels);
        const scale = mean.map((value) => 1 / value);
        const [y] = runOp(
          'GnbenchImages',
          [type('T', DataType[format])],
          [
            { shape, data: pixels, format: 'uint8' },
            { shape: [channels], data: mean },
            { shape: [channels], data: scale },
          ],
          1,
        );
        assert.deepEqual(y.shape, shape);
        for (let i = 0; i < pixels.length; i++) {
          const expected = Math.fround(Math.fround(pixels[i] - mean[i % channels]) * scale[i % channels]);
          const tolerance = format === 'float' ? 0 : Math.abs(expected) * 2 ** -8;
          if (!(Math.abs(y.data[i] - expected) <= tolerance))
            assert.fail(`${shape}, element ${i}: ${y.data[i]} where ${expected} is right`);
        }
      }
    });

    it(`GnbenchSubsample and its gradient, ${format}`, () => {
      for (const [images, height, width, channels, out, stride] of [
        [2, 32, 32, 16, 32, 2],
        [1, 7, 5, 6, 10, 2],
        [3, 4, 4, 16, 16, 1],
        [1, 1, 1, 3, 4, 2],
      ]) {
        const shape = [images, height, width, channels];
        const small = [images, Math.ceil(height / stride), Math.ceil(width / stride), out];
        const x = Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i % 251) + 1);
        const dy = Float32Array.from({ length: sizeOf(small) }, (_, i) => (i % 241) + 1);
        const expected = new Float32Array(dy.length);
        const gradient = new Float32Array(x.length);
        for (let i = 0; i < dy.length; i++) {
          const [c, pixel] = [i % out, Math.floor(i / out)];
          const [w, row] = [pixel % small[2], Math.floor(pixel / small[2])];
          const [h, n] = [row % small[1], Math.floor(row / small[1])];
          const source = ((n * height + h * stride) * width + w * stride) * channels + c;
          if (c >= channels) continue;
          expected[i] = x[source];
          gradient[source] = dy[i];
        }
        const T = type('T', DataType[format]);
        const [y] = runOp(
          'GnbenchSubsample',
          [T, ints('stride', stride), ints('channels', out)],
          [{ shape, data: x, format }],
          1,
        );
        assert.deepEqual(y, { shape: small, data: expected });
        const sizes = [ints('height', height), ints('width', width), ints('channels', channels)];
        const [dx] = runOp(
          'GnbenchSubsampleGrad',
          [T, ints('stride', stride), ...sizes],
          [{ shape: small, data: dy, format }],
          1,
        );
        assert.deepEqual(dx, { shape, data: gradient });
      }
    });
  }

  it('refuses what does not fit', () => {
    const x = { shape: [1, 4, 4, 16], data: new Float32Array(256) };
    const T = type('T', DataType.float);
    const sizes = [ints('height', 9), ints('width', 8), ints('channels', 16)];
    assert.throws(
      () => runOp('GnbenchSubsample', [T, ints('stride', 2), ints('channels', 8)], [x], 1),
      /16 channels cannot be padded to 8/,
    );
    assert.throws(
      () => runOp('GnbenchSubsampleGrad', [T, ints('stride', 2), ...sizes], [x], 1),
      /shape mismatch: dy \[1,4,4,16\], but x has images of 9 x 8 x 16/,
    );
  });
});
