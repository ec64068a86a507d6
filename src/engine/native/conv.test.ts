import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadEngine } from '../load.js';
import { bools, ints } from '../ops.js';
import { runOp, type Value } from './direct.js';

interface Case {
  images: number;
  height: number;
  width: number;
  channels: number;
  filters: number;
  kernel: 1 | 3;
  stride: 1 | 2;
}

let seed = 7;
/** Uniform in [-1, 1), the same in every run. */
function randoms(count: number): Float32Array {
  return Float32Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 31 - 1;
  });
}

/** Calls `visit` with the indices in x, w and y of every product of the convolution. */
function eachProduct(test: Case, visit: (x: number, w: number, y: number) => void): [number, number] {
  const { images, height, width, channels, filters, kernel, stride } = test;
  const pad = (kernel - 1) / 2;
  const outHeight = Math.floor((height + 2 * pad - kernel) / stride) + 1;
  const outWidth = Math.floor((width + 2 * pad - kernel) / stride) + 1;
  for (let n = 0; n < images; n++)
    for (let h = 0; h < outHeight; h++)
      for (let w = 0; w < outWidth; w++)
        for (let r = 0; r < kernel; r++)
          for (let s = 0; s < kernel; s++) {
            const row = h * stride + r - pad;
            const column = w * stride + s - pad;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            for (let c = 0; c < channels; c++)
              for (let k = 0; k < filters; k++)
                visit(
                  ((n * height + row) * width + column) * channels + c,
                  ((r * kernel + s) * channels + c) * filters + k,
                  ((n * outHeight + h) * outWidth + w) * filters + k,
                );
          }
  return [outHeight, outWidth];
}

function assertNear(name: string, actual: Value, shape: number[], expected: Float64Array): void {
  assert.deepEqual(actual.shape, shape, name);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (let i = 0; i < expected.length; i++)
    if (!(Math.abs(actual.data[i] - expected[i]) <= 2e-6 * scale))
      assert.fail(`${name}, element ${i}: ${actual.data[i]} where ${expected[i]} is right`);
}

function check(test: Case): void {
  const { images, height, width, channels, filters, kernel, stride } = test;
  const [outHeight, outWidth] = eachProduct({ ...test, images: 1, channels: 0 }, () => {});
  const shapes = {
    x: [images, height, width, channels],
    w: [kernel, kernel, channels, filters],
    y: [images, outHeight, outWidth, filters],
  };
  const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
  const x = randoms(size(shapes.x));
  const w = randoms(size(shapes.w));
  const dy = randoms(size(shapes.y));
  const addend = randoms(x.length);
  const y = new Float64Array(dy.length);
  const dx = Float64Array.from(addend);
  const dw = new Float64Array(w.length);
  eachProduct(test, (xi, wi, yi) => {
    y[yi] += x[xi] * w[wi];
    dx[xi] += dy[yi] * w[wi];
    dw[wi] += dy[yi] * x[xi];
  });
  const [input, weights, gradient] = [
    { shape: shapes.x, data: x },
    { shape: shapes.w, data: w },
    { shape: shapes.y, data: dy },
  ];
  assertNear('y', runOp('GnbenchConv', [ints('stride', stride)], [input, weights], 1)[0], shapes.y, y);
  const filter = [ints('stride', stride), ints('kernel', kernel)];
  assertNear('dw', runOp('GnbenchConvBackpropFilter', filter, [input, gradient], 1)[0], shapes.w, dw);
  if (channels % 16 !== 0) return;
  const sizes = [ints('stride', stride), ints('height', height), ints('width', width)];
  const added = { shape: shapes.x, data: addend };
  const withAddend = [gradient, weights, added];
  const name = 'GnbenchConvBackpropInput';
  assertNear('dx', runOp(name, [...sizes, bools('has_addend', true)], withAddend, 1)[0], shapes.x, dx);
  const none = { shape: [0], data: new Float32Array(0) };
  const [alone] = runOp(name, [...sizes, bools('has_addend', false)], [gradient, weights, none], 1);
  const expected = dx.map((value, i) => value - addend[i]);
  assertNear('dx alone', alone, shapes.x, expected);
}

const shapes: [images: number, height: number, width: number, channels: number, filters: number][] = [
  [2, 32, 32, 3, 16],
  [2, 32, 32, 16, 16],
  [1, 16, 16, 32, 32],
  [3, 8, 8, 64, 64],
  [1, 14, 14, 16, 32],
  [2, 7, 7, 48, 16],
  [1, 5, 28, 16, 16],
  [5, 1, 1, 16, 16],
  [1, 2, 2, 32, 16],
  [1, 9, 35, 16, 48],
  [2, 3, 23, 5, 16],
  [1, 4, 6, 19, 16],
];

describe('convolutions', () => {
  before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true }));

  for (const [images, height, width, channels, filters] of shapes) {
    for (const [kernel, stride] of [
      [3, 1],
      [3, 2],
      [1, 1],
      [1, 2],
    ] as const) {
      const test = { images, height, width, channels, filters, kernel, stride };
      it(`${images}×${height}×${width}×${channels} → ${filters}, kernel ${kernel}, stride ${stride}`, () => {
        check(test);
      });
    }
  }

  it('refuses what does not fit', () => {
    const zeros = (shape: number[]) => ({
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
    });
    const conv = (x: number[], w: number[], stride = 1) =>
      runOp('GnbenchConv', [ints('stride', stride)], [zeros(x), zeros(w)], 1);
    assert.throws(() => conv([1, 4, 4, 8], [3, 3, 8, 24]), /24 output channels are no multiple of 16/);
    assert.throws(() => conv([1, 4, 4, 8], [3, 3, 16, 16]), /do not fit/);
    assert.throws(() => conv([1, 4, 4, 8], [5, 5, 8, 16]), /kernel 5 with stride 1/);
    assert.throws(() => conv([1, 4, 4, 8], [3, 3, 8, 16], 3), /with stride 3/);
    assert.throws(() => conv([4, 4, 8], [3, 3, 8, 16]), /four dimensions/);
    const sizes = [ints('stride', 2), ints('height', 9), ints('width', 8), bools('has_addend', false)];
    const inputs = [zeros([1, 4, 4, 16]), zeros([3, 3, 16, 16]), zeros([0])];
    assert.throws(() => runOp('GnbenchConvBackpropInput', sizes, inputs, 1), /does not become/);
  });
});
