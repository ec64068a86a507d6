import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataType } from '../data-type.js';
import { ints, type } from '../operation.js';
import { loadTestEngine } from '../testing/test-engine.js';
import { type Format, runOp } from './testing/direct.js';

interface Case {
  shape: [images: number, height: number, width: number, channels: number];
  kernel: [number, number];
  stride: [number, number];
  padding: [number, number];
}

/** Multiples of 1/4 in few steps, so that windows have several largest values; sums of them are exact in bfloat16. */
const grid = (count: number, step: number) =>
  Float32Array.from({ length: count }, (_, i) => (((i * step + (i >> 4)) % 17) - 8) / 4);

/** Max-pooling and the gradient of Σ dy·y, straight from the definition. */
function definition({ shape, kernel, stride, padding }: Case, x: Float32Array) {
  const [images, height, width, channels] = shape;
  const outOf = (axis: number) =>
    Math.floor((shape[axis + 1] + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
  const [outHeight, outWidth] = [outOf(0), outOf(1)];
  const y: number[] = [];
  const taps: number[] = [];
  const places: number[] = [];
  for (let n = 0; n < images; n++)
    for (let h = 0; h < outHeight; h++)
      for (let w = 0; w < outWidth; w++)
        for (let c = 0; c < channels; c++) {
          let best: { value: number; tap: number; place: number } | undefined;
          for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
            const row = h * stride[0] - padding[0] + Math.floor(tap / kernel[1]);
            const column = w * stride[1] - padding[1] + (tap % kernel[1]);
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const place = ((n * height + row) * width + column) * channels + c;
            if (!best || x[place] > best.value) best = { value: x[place], tap, place };
          }
          y.push(best!.value);
          taps.push(best!.tap);
          places.push(best!.place);
        }
  const gradient = (dy: Float32Array) => {
    const dx = new Float32Array(x.length);
    for (const [i, place] of places.entries()) dx[place] += dy[i];
    return dx;
  };
  return { shape: [images, outHeight, outWidth, channels], y: Float32Array.from(y), taps, gradient };
}

const attributesOf = (format: Format, { kernel, stride, padding }: Case) => [
  type('T', DataType[format]),
  ints('kernel', kernel),
  ints('stride', stride),
  ints('padding', padding),
];
const sizeOf = ([, height, width]: Case['shape']) => [ints('height', height), ints('width', width)];

function run(format: Format, test: Case, x: Float32Array, dy?: Float32Array) {
  const attributes = attributesOf(format, test);
  const [y, taps] = runOp('GnbenchMaxPool', attributes, [{ shape: test.shape, data: x, format }], 2);
  const gradient = dy ?? new Float32Array(y.data.length);
  const inputs = [
    { shape: y.shape, data: gradient, format },
    { ...taps, format: 'uint8' as const },
  ];
  const [dx] = runOp('GnbenchMaxPoolGrad', [...attributes, ...sizeOf(test.shape)], inputs, 1);
  return { y, taps, dx };
}

const cases: Case[] = [
  { shape: [2, 8, 8, 64], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  { shape: [1, 7, 9, 80], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  { shape: [3, 5, 5, 17], kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
  { shape: [2, 19, 6, 5], kernel: [3, 2], stride: [1, 3], padding: [2, 1] },
  { shape: [1, 9, 33, 48], kernel: [2, 1], stride: [2, 1], padding: [0, 0] },
  { shape: [2, 3, 3, 16], kernel: [3, 3], stride: [3, 3], padding: [0, 0] },
  { shape: [1, 7, 7, 33], kernel: [1, 1], stride: [2, 2], padding: [0, 0] },
  { shape: [1, 20, 18, 3], kernel: [16, 16], stride: [1, 1], padding: [3, 5] },
  { shape: [4, 1, 1, 1], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  { shape: [8, 33, 31, 32], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
];

describe('GnbenchMaxPool and its gradient', () => {
  before(() => loadTestEngine({ threads: { intraOp: 2, interOp: 1 }, compiler: 'none' }));

  for (const format of ['float', 'bfloat16'] satisfies Format[]) {
    for (const test of cases) {
      const { shape, kernel, stride, padding } = test;
      it(`${format} ${shape.join('×')}, kernel ${kernel}, stride ${stride}, padding ${padding}`, () => {
        const x = grid(
          shape.reduce((product, size) => product * size),
          5,
        );
        const expected = definition(test, x);
        const dy = grid(expected.y.length, 7);
        const { y, taps, dx } = run(format, test, x, dy);
        assert.deepEqual(y, { shape: expected.shape, data: expected.y });
        assert.deepEqual([...taps.data], expected.taps);
        assert.deepEqual(dx, { shape, data: expected.gradient(dy) });
      });
    }

    it(`${format}: a NaN stays a NaN, and of −∞ the first is taken`, () => {
      const test: Case = { shape: [1, 2, 4, 1], kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
      const x = Float32Array.of(1, Number.NaN, -Infinity, -Infinity, 2, 3, -Infinity, -Infinity);
      const { y, taps, dx } = run(format, test, x, Float32Array.of(1, 2));
      assert.deepEqual([...y.data], [Number.NaN, -Infinity]);
      assert.deepEqual([...taps.data], [1, 0]);
      assert.deepEqual([...dx.data], [0, 1, 2, 0, 0, 0, 0, 0]);
    });
  }

  it('refuses what does not fit', () => {
    const base: Case = { shape: [1, 4, 4, 2], kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
    const refused = (change: Partial<Case>, message: RegExp) => {
      const test = { ...base, ...change };
      const x = new Float32Array(test.shape.reduce((product, size) => product * size));
      assert.throws(() => run('float', test, x), message);
    };
    refused({ padding: [2, 0] }, /a window would lie outside of the image/);
    refused({ kernel: [16, 17] }, /taps are counted in a byte/);
    refused({ kernel: [5, 1] }, /an image of 4 x 4 pixels has no window of 5 x 1/);
    const taps = { shape: [1, 2, 2, 2], data: new Float32Array(8), format: 'uint8' as const };
    const dy = { shape: [1, 2, 3, 2], data: new Float32Array(12) };
    const attributes = [...attributesOf('float', base), ...sizeOf(base.shape)];
    assert.throws(() => runOp('GnbenchMaxPoolGrad', attributes, [dy, taps], 1), /shape mismatch/);
  });
});
