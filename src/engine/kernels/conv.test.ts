import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataType } from '../data-type.js';
import { loadEngine } from '../load.js';
import { bools, ints, type } from '../operation.js';
import { type Format, runOp, type Value } from './testing/direct.js';

interface Case {
  images: number;
  height: number;
  width: number;
  channels: number;
  filters: number;
  kernel: number;
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

/** As bfloat16 has it: so that the reference sees what the kernel sees. */
function rounded(values: Float32Array, format: Format): Float32Array {
  if (format === 'float') return values;
  const bits = new Uint32Array(values.buffer.slice(0));
  for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] + 0x7fff + ((bits[i] >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer);
}

/** A result, and the sum of the absolute values of the products behind it: rounding errors are shares of that. */
interface Expected {
  sums: Float64Array;
  sizes: Float64Array;
}

function assertNear(name: string, actual: Value, shape: number[], expected: Expected, share: number): void {
  assert.deepEqual(actual.shape, shape, name);
  for (const [i, value] of expected.sums.entries())
    if (!(Math.abs(actual.data[i] - value) <= share * expected.sizes[i]))
      assert.fail(
        `${name}, element ${i}: ${actual.data[i]} where ${value} is right (of ${expected.sizes[i]})`,
      );
}

function check(test: Case, format: Format, winograd = false): void {
  const { images, height, width, channels, filters, kernel, stride } = test;
  const [outHeight, outWidth] = eachProduct({ ...test, images: 1, channels: 0 }, () => {});
  const shapes = {
    x: [images, height, width, channels],
    w: [kernel, kernel, channels, filters],
    y: [images, outHeight, outWidth, filters],
  };
  const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
  const x = rounded(randoms(size(shapes.x)), format);
  const w = rounded(randoms(size(shapes.w)), format);
  const dy = rounded(randoms(size(shapes.y)), format);
  const addend = rounded(randoms(x.length), format);
  const zeros = (length: number): Expected => ({
    sums: new Float64Array(length),
    sizes: new Float64Array(length),
  });
  const [y, dx, dw] = [dy, addend, w].map(({ length }) => zeros(length));
  const add = ({ sums, sizes }: Expected, at: number, product: number) => {
    sums[at] += product;
    sizes[at] += Math.abs(product);
  };
  eachProduct(test, (xi, wi, yi) => {
    add(y, yi, x[xi] * w[wi]);
    add(dx, xi, dy[yi] * w[wi]);
    add(dw, wi, dy[yi] * x[xi]);
  });
  const [input, weights, gradient] = [
    { shape: shapes.x, data: x, format },
    { shape: shapes.w, data: w },
    { shape: shapes.y, data: dy, format },
  ];
  const T = type('T', DataType[format]);
  const near = format === 'float' ? 2e-6 : 2 ** -8;
  const strides = [T, ints('stride', stride), bools('winograd', winograd)];
  assertNear('y', runOp('GnbenchConv', strides, [input, weights], 1)[0], shapes.y, y, near);
  const filter = [...strides, ints('kernel', kernel)];
  // Products of bfloat16 values are exact in float32, and so is their sum all but so.
  assertNear('dw', runOp('GnbenchConvBackpropFilter', filter, [input, gradient], 1)[0], shapes.w, dw, 2e-6);
  if (channels % 16 !== 0) return;
  const sizes = [...strides, ints('height', height), ints('width', width)];
  const none = { shape: [0], data: new Float32Array(0), format };
  for (const added of [none, { shape: shapes.x, data: addend, format }]) {
    const attributes = [...sizes, bools('has_addend', added !== none)];
    const [actual] = runOp('GnbenchConvBackpropInput', attributes, [gradient, weights, added], 1);
    const expected = added === none ? dx : zeros(dx.sums.length);
    if (added !== none)
      for (const i of addend.keys()) {
        expected.sums[i] = dx.sums[i] + addend[i];
        expected.sizes[i] = dx.sizes[i] + Math.abs(addend[i]);
      }
    assertNear('dx', actual, shapes.x, expected, near);
  }
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
  [17, 4, 4, 16, 32],
  [1, 4, 6, 19, 16],
  [1, 10, 10, 48, 48],
];

/** Computed as products of packed panels: many channels, large images or kernels, and what is left over of either. */
const packed: [
  images: number,
  height: number,
  width: number,
  channels: number,
  filters: number,
  kernel: number,
][] = [
  [2, 5, 7, 160, 112, 3],
  [3, 2, 2, 128, 144, 3],
  [15, 4, 4, 144, 128, 3],
  [2, 1, 1, 512, 48, 3],
  [1, 3, 1, 1040, 16, 3],
  [2, 11, 13, 80, 208, 3],
  [1, 9, 8, 32, 544, 3],
  [2, 6, 5, 96, 560, 1],
  [1, 7, 3, 1072, 16, 1],
  [1, 37, 29, 16, 48, 3],
  [2, 37, 29, 16, 16, 1],
  [2, 13, 12, 3, 64, 3],
  [1, 19, 40, 3, 32, 7],
  [2, 3, 4, 3, 16, 7],
  [1, 9, 11, 19, 32, 7],
  [2, 10, 7, 32, 48, 5],
  [1, 2, 2, 16, 32, 5],
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
        check(test, 'float');
        check(test, 'bfloat16');
        check(test, 'float', true);
        check(test, 'bfloat16', true);
      });
    }
  }

  for (const [images, height, width, channels, filters, kernel] of packed) {
    for (const stride of [1, 2] as const) {
      it(`${images}×${height}×${width}×${channels} → ${filters}, kernel ${kernel}, stride ${stride}, packed`, () => {
        const test = { images, height, width, channels, filters, kernel, stride };
        check(test, 'float');
        check(test, 'bfloat16');
      });
    }
  }

  it('rounds weights to bfloat16 on every processor', () => {
    // 1 + ¾ of bfloat16's last bit, and -1: their sum is ¾ of it before rounding, and the whole of it after.
    const last = 2 ** -7;
    const size = 10;
    for (const [kernel, winograd] of [
      [1, false],
      [3, false],
      [3, true],
    ] as const) {
      // At 3×3 the middle tap alone, so that every pixel sees the same.
      const shape = [kernel, kernel, 16, 16];
      const middle = 256 * Math.floor((kernel * kernel) / 2);
      const forward = { shape, data: new Float32Array(kernel * kernel * 256) };
      const backward = { shape, data: new Float32Array(kernel * kernel * 256) };
      for (let k = 0; k < 16; k++) {
        forward.data[middle + k] = backward.data[middle + 16 * k] = 1 + 0.75 * last;
        forward.data[middle + 16 + k] = backward.data[middle + 16 * k + 1] = -1;
      }
      for (const [format, sum] of [
        ['float', 0.75 * last],
        ['bfloat16', last],
      ] as const) {
        const strides = [type('T', DataType[format]), ints('stride', 1), bools('winograd', winograd)];
        const sizes = [ints('height', size), ints('width', size), bools('has_addend', false)];
        const ones = { shape: [1, size, size, 16], data: new Float32Array(size * size * 16).fill(1), format };
        const none = { shape: [0], data: new Float32Array(0), format };
        const [y] = runOp('GnbenchConv', strides, [ones, forward], 1);
        const [dx] = runOp('GnbenchConvBackpropInput', [...strides, ...sizes], [ones, backward, none], 1);
        for (const { data } of [y, dx])
          for (const value of data) assert.equal(value, sum, `${format}, kernel ${kernel}, ${winograd}`);
      }
    }
  });

  it('refuses what does not fit', () => {
    const zeros = (shape: number[]) => ({
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
    });
    const conv = (x: number[], w: number[], stride = 1) =>
      runOp('GnbenchConv', [ints('stride', stride)], [zeros(x), zeros(w)], 1);
    assert.throws(() => conv([1, 4, 4, 8], [3, 3, 8, 24]), /24 output channels are not a multiple of 16/);
    assert.throws(() => conv([1, 4, 4, 8], [3, 3, 16, 16]), /do not fit/);
    assert.throws(() => conv([1, 4, 4, 8], [4, 4, 8, 16]), /kernel 4 with stride 1/);
    assert.throws(() => conv([1, 4, 4, 8], [3, 3, 8, 16], 3), /with stride 3/);
    assert.throws(() => conv([4, 4, 8], [3, 3, 8, 16]), /four dimensions/);
    const sizes = [ints('stride', 2), ints('height', 9), ints('width', 8), bools('has_addend', false)];
    const inputs = [zeros([1, 4, 4, 16]), zeros([3, 3, 16, 16]), zeros([0])];
    assert.throws(() => runOp('GnbenchConvBackpropInput', sizes, inputs, 1), /does not become/);
    const large = [ints('stride', 2), ints('height', 256), ints('width', 256), bools('has_addend', false)];
    const wide = [zeros([1, 128, 128, 16]), zeros([1, 1, 65_536, 16]), zeros([0])];
    assert.throws(() => runOp('GnbenchConvBackpropInput', large, wide, 1), /2\^31 values or more/);
  });
});
