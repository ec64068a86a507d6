import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataType } from '../data-type.js';
import { bools, floats, ints, type } from '../operation.js';
import { loadTestEngine } from '../testing/test-engine.js';
import { type Format, runOp } from './testing/direct.js';
import { backward, forward, type NormalizationCase } from './testing/reference.js';

let seed = 1;
/** Uniform in [-1, 1), the same in every run. */
function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
}
const randoms = (count: number, scale = 1, offset = 0) =>
  Float32Array.from({ length: count }, () => offset + scale * (random() + random() + random()));

/** As bfloat16 has it: so that the reference sees what the kernel sees. */
function rounded(values: Float32Array, format: Format): Float32Array {
  if (format === 'float') return values;
  const bits = new Uint32Array(values.buffer.slice(0));
  for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] + 0x7fff + ((bits[i] >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer);
}

interface Case {
  name: string;
  shape: number[];
  imagesPerGroup?: number;
  channelsPerGroup: number;
  mean?: number;
  format?: Format;
}

function problemOf(
  { shape, imagesPerGroup = 1, channelsPerGroup, mean = 0.3, format = 'float' }: Case,
  relu: boolean,
  withResidual: boolean,
): NormalizationCase & { x: Float32Array; residual?: Float32Array; gamma: Float32Array; beta: Float32Array } {
  const count = shape.reduce((a, b) => a * b, 1);
  const channels = shape.at(-1)!;
  return {
    images: shape[0],
    pixels: count / shape[0] / channels,
    channels,
    imagesPerGroup,
    channelsPerGroup,
    epsilon: 1e-5,
    relu,
    x: rounded(randoms(count, 1, mean), format),
    residual: withResidual ? rounded(randoms(count), format) : undefined,
    gamma: randoms(channels, 0.3, 1),
    beta: randoms(channels, 0.3),
  };
}

function attributesOf(problem: NormalizationCase, format: Format) {
  return [
    type('T', DataType[format]),
    ints('images_per_group', problem.imagesPerGroup),
    ints('channels_per_group', problem.channelsPerGroup),
    floats('epsilon', problem.epsilon),
    bools('relu', problem.relu),
    bools('has_residual', problem.residual !== undefined),
  ];
}

/** Largest difference, in units of the larger of 1 and the reference's largest value. */
function distance(actual: Float32Array, expected: Float64Array): number {
  assert.equal(actual.length, expected.length);
  let difference = 0;
  let scale = 1;
  for (let i = 0; i < actual.length; i++) {
    if (Number.isNaN(actual[i])) return Number.NaN;
    difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return difference / scale;
}

function assertNear(name: string, actual: Float32Array, expected: Float64Array, tolerance: number): void {
  const value = distance(actual, expected);
  assert.ok(value <= tolerance, `${name}: ${value} is more than ${tolerance}`);
}

function check(test: Case, relu: boolean, withResidual: boolean): void {
  const { shape, format = 'float' } = test;
  const problem = problemOf(test, relu, withResidual);
  const { x, residual, gamma, beta, channels } = problem;
  const attributes = attributesOf(problem, format);
  const none = { shape: [0], data: new Float32Array(0), format };
  const vector = (data: Float32Array) => ({ shape: [data.length], data });
  const added = residual ? { shape, data: residual, format } : none;
  const [y, mean, rstd, variance] = runOp(
    'GnbenchNormalize',
    attributes,
    [{ shape, data: x, format }, added, vector(gamma), vector(beta)],
    4,
  );
  const expected = forward(problem);
  const coarse = format === 'bfloat16' ? 2 ** -8 : 0;
  assert.deepEqual(y.shape, shape);
  assertNear('y', y.data, expected.y, Math.max(coarse, 5e-6));
  assertNear('mean', mean.data, expected.mean, 1e-6);
  assertNear('rstd', rstd.data, expected.rstd, 2e-6);
  assertNear(
    'variance',
    variance.data,
    expected.rstd.map((value) => 1 / value ** 2 - problem.epsilon),
    2e-6,
  );

  const dy = rounded(randoms(x.length), format);
  const [dx, dgamma, dbeta, dresidual] = runOp(
    'GnbenchNormalizeGrad',
    attributes,
    [
      { shape, data: dy, format },
      { shape, data: x, format },
      { shape, data: y.data, format },
      vector(gamma),
      mean,
      rstd,
    ],
    4,
  );
  const gradients = backward(problem, dy, y.data);
  const wide = Math.abs(test.mean ?? 0) > 100 ? 1e-4 : 1e-5; // the mean is handed over as float32
  assert.deepEqual(dx.shape, shape);
  assertNear('dx', dx.data, gradients.dx, Math.max(coarse, wide));
  assertNear('dgamma', dgamma.data, gradients.dgamma, wide);
  assertNear('dbeta', dbeta.data, gradients.dbeta, 1e-5);
  assert.equal(dgamma.data.length, channels);
  if (residual) assertNear('dresidual', dresidual.data, gradients.dresidual, coarse);
  else assert.deepEqual(dresidual.shape, [0]);
}

const cases: Case[] = [
  { name: 'GN, 8 groups of 2 channels', shape: [2, 32, 32, 16], channelsPerGroup: 2 },
  { name: 'GN on the last stage of a ResNet-20', shape: [3, 8, 8, 64], channelsPerGroup: 8 },
  { name: 'one image, one group', shape: [1, 5, 5, 16], channelsPerGroup: 16 },
  { name: 'as many groups as channels', shape: [2, 7, 7, 48], channelsPerGroup: 1 },
  { name: '7×7 pixels', shape: [2, 7, 7, 256], channelsPerGroup: 8 },
  { name: '1×1 pixels', shape: [4, 1, 1, 64], channelsPerGroup: 8 },
  { name: '6 channels', shape: [3, 9, 5, 6], channelsPerGroup: 3 },
  { name: '10 channels', shape: [2, 3, 3, 10], channelsPerGroup: 5 },
  { name: '24 channels', shape: [2, 6, 7, 24], channelsPerGroup: 4 },
  { name: '2,048 channels', shape: [2, 7, 7, 2048], channelsPerGroup: 64 },
  { name: 'a matrix', shape: [6, 40], channelsPerGroup: 10 },
  { name: 'BN over a batch', shape: [12, 8, 8, 32], imagesPerGroup: 12, channelsPerGroup: 1 },
  { name: 'BN over many chunks', shape: [40, 32, 32, 16], imagesPerGroup: 40, channelsPerGroup: 1 },
  { name: 'BN of 4 workers', shape: [8, 6, 6, 16], imagesPerGroup: 2, channelsPerGroup: 1 },
  {
    name: 'BN of 3 workers over many chunks',
    shape: [24, 32, 32, 16],
    imagesPerGroup: 8,
    channelsPerGroup: 1,
  },
  { name: '2^20 elements a group', shape: [1, 256, 256, 16], channelsPerGroup: 16 },
  { name: 'a mean of 1000', shape: [2, 32, 32, 16], channelsPerGroup: 2, mean: 1000 },
  { name: 'bfloat16', shape: [2, 32, 32, 16], channelsPerGroup: 2, format: 'bfloat16' },
  { name: 'bfloat16, 10 channels', shape: [2, 5, 5, 10], channelsPerGroup: 5, format: 'bfloat16' },
];

describe('GnbenchNormalize and its gradient', () => {
  before(() => loadTestEngine({ threads: { intraOp: 2, interOp: 1 }, compiler: 'none' }));

  for (const test of cases) {
    it(test.name, () => {
      const large = test.shape.reduce((a, b) => a * b, 1) > 1e5; // the reference takes a second
      const choices = large ? [true] : [false, true];
      for (const relu of choices) for (const residual of choices) check(test, relu, residual);
    });
  }

  it('is within 5e-5 of float64 on data of 1000 ± 1', () => {
    const test = { name: '', shape: [2, 32, 32, 16], channelsPerGroup: 2 };
    const problem = problemOf(test, false, false);
    const x = randoms(problem.x.length, 1 / 3, 1000);
    const gamma = new Float32Array(16).fill(1);
    const beta = new Float32Array(16);
    const [y] = runOp(
      'GnbenchNormalize',
      attributesOf(problem, 'float'),
      [
        { shape: test.shape, data: x },
        { shape: [0], data: new Float32Array(0) },
        { shape: [16], data: gamma },
        { shape: [16], data: beta },
      ],
      4,
    );
    const expected = forward({ ...problem, x, gamma, beta }).y;
    const worst = y.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
    assert.ok(worst <= 5e-6, `off by ${worst}`);
  });

  it('sums again when the first pixel is far from all others', () => {
    const shape = [1, 64, 64, 16];
    const problem = problemOf({ name: '', shape, channelsPerGroup: 2 }, false, false);
    for (let c = 0; c < 16; c++) problem.x[c] = 3e5;
    const none = { shape: [0], data: new Float32Array(0) };
    const vector = (data: Float32Array) => ({ shape: [data.length], data });
    const inputs = [{ shape, data: problem.x }, none, vector(problem.gamma), vector(problem.beta)];
    const [y, , rstd] = runOp('GnbenchNormalize', attributesOf(problem, 'float'), inputs, 4);
    const expected = forward(problem);
    const off = expected.rstd.map((value, group) => Math.abs(rstd.data[group] / value - 1));
    assert.ok(Math.max(...off) < 3e-6, `rstd is off by ${Math.max(...off)}`);
    assertNear('y', y.data, expected.y, 3e-6);
  });

  it('lets a NaN through the ReLU', () => {
    const shape = [1, 4, 4, 16];
    const problem = problemOf({ name: '', shape, channelsPerGroup: 2 }, true, false);
    problem.x[5] = Number.NaN;
    const none = { shape: [0], data: new Float32Array(0) };
    const vector = (data: Float32Array) => ({ shape: [data.length], data });
    const inputs = [{ shape, data: problem.x }, none, vector(problem.gamma), vector(problem.beta)];
    const [y] = runOp('GnbenchNormalize', attributesOf(problem, 'float'), inputs, 4);
    assert.ok(Number.isNaN(y.data[4]) && Number.isNaN(y.data[20]) && !Number.isNaN(y.data[6]));
  });

  it('refuses what does not fit', () => {
    const run = (shape: number[], imagesPerGroup: number, channelsPerGroup: number, gamma: number) => () => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      const problem = { imagesPerGroup, channelsPerGroup, epsilon: 1e-5, relu: false } as NormalizationCase;
      const none = { shape: [0], data: new Float32Array(0) };
      const vector = { shape: [gamma], data: new Float32Array(gamma) };
      runOp('GnbenchNormalize', attributesOf(problem, 'float'), [{ shape, data }, none, vector, vector], 4);
    };
    assert.throws(run([2, 4, 4, 10], 1, 4, 10), /10 channels do not fall into groups of 4/);
    assert.throws(run([3, 4, 4, 8], 2, 1, 8), /3 images do not fall into sets of 2/);
    assert.throws(run([2, 4, 4, 8], 1, 4, 7), /gamma has 7 values where 8 are needed/);
    assert.throws(run([8], 1, 1, 8), /must be \[images/);
  });

  it('takes no images', () => {
    const problem = {
      imagesPerGroup: 1,
      channelsPerGroup: 2,
      epsilon: 1e-5,
      relu: false,
    } as NormalizationCase;
    const none = { shape: [0], data: new Float32Array(0) };
    const empty = { shape: [0, 4, 4, 8], data: new Float32Array(0) };
    const gamma = { shape: [8], data: new Float32Array(8) };
    const [y, mean] = runOp(
      'GnbenchNormalize',
      attributesOf(problem, 'float'),
      [empty, none, gamma, gamma],
      4,
    );
    assert.deepEqual([y.shape, mean.shape], [[0, 4, 4, 8], [0]]);
  });
});
