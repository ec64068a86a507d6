import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { EagerProgram } from '../eager.js';
import { lossAndGradients, stepScope } from '../gradients.js';
import { CompiledProgram } from '../graph/compiled.js';
import { type Kernels, kernels } from '../kernel-table.js';
import { loadEngine, tf } from '../load.js';
import { convolution } from './convolution.js';
import { globalAverage } from './global-average.js';
import { maxPool } from './pooling.js';
import { subsample } from './subsample.js';

interface FixtureTensor {
  shape: number[];
  data: number[];
}
interface Case {
  kind: 'convolution' | 'maxPool' | 'subsample' | 'globalAverage';
  kernel: number[];
  stride: number[];
  padding: number[];
  channels: number;
  inputs: Record<string, FixtureTensor>;
  expected: Record<string, FixtureTensor>;
}

const ones = { x: { shape: [1, 2, 2, 2, 1], data: new Float32Array(8).fill(1) } };

const { cases }: { cases: Case[] } = JSON.parse(readFileSync('src/engine/ops/fixtures/windows.json', 'utf8'));

function apply(
  { kind, kernel, stride, padding, channels }: Case,
  [x, weight]: Tensor[],
  use: Kernels,
): Tensor {
  switch (kind) {
    case 'convolution':
      return convolution(x, weight, { stride, padding, precision: 'float32' }, use);
    case 'maxPool':
      return maxPool(x, { kernel, stride, padding }, use);
    case 'subsample':
      return subsample(x, stride, channels, use);
    case 'globalAverage':
      return globalAverage(x, use);
  }
}

function assertClose(actual: ArrayLike<number>, expected: FixtureTensor, what: string): void {
  const { data, shape } = expected;
  assert.equal(actual.length, data.length, `${what}: ${shape}`);
  const rms = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
  for (let i = 0; i < data.length; i++) {
    const near = Math.abs(actual[i] - data[i]) <= 1e-5 * (rms + Math.abs(data[i]));
    assert.ok(near, `${what}[${i}]: ${actual[i]}, expected ${data[i]}`);
  }
}

describe('what slides over two or three dimensions agrees with PyTorch, forward and backward', () => {
  before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 1, interOp: 1 }, quiet: true }));

  it('a maximum that occurs several times has one gradient, that of the first', () => {
    for (const use of ['kernels', 'definitions'] as const) {
      for (const [form, make] of [
        ['eager', () => new EagerProgram(ones)],
        ['compiled', () => new CompiledProgram(ones)],
      ] as const) {
        const program = make();
        const run = program.define('step', {}, (step) => {
          const x = step.variable('x');
          const window = { kernel: [2, 2, 2], stride: [2, 2, 2], padding: [0, 0, 0] };
          const { gradients } = lossAndGradients(() => maxPool(x, window, kernels(use)).sum(), [x]);
          return { gradient: gradients[0].mul(3) };
        });
        assert.deepEqual([...run({}).gradient], [3, 0, 0, 0, 0, 0, 0, 0], `${form}, by ${use}`);
        program.dispose();
      }
    }
  });

  for (const each of cases) {
    const { kind, inputs, expected, kernel = [], stride = [], padding = [] } = each;
    const sizes = `${inputs.x.shape.join('×')}, kernel ${kernel}, stride ${stride}, padding ${padding}`;
    for (const use of ['kernels', 'definitions'] as const) {
      it(`${kind} of ${sizes}, by ${use}`, () => {
        stepScope(() => {
          const { dy, ...given } = inputs;
          const leaves = Object.values(given).map(({ shape, data }) => tf.tensor(data, shape, 'float32'));
          const y = apply(each, leaves, kernels(use));
          assert.deepEqual(y.shape, expected.y.shape);
          assertClose(y.dataSync(), expected.y, 'y');
          const weights = tf.tensor(dy.data, dy.shape, 'float32');
          const loss = () => apply(each, leaves, kernels(use)).mul(weights).sum();
          for (const [index, gradient] of lossAndGradients(loss, leaves).gradients.entries()) {
            const name = `d${Object.keys(given)[index]}`;
            assert.deepEqual(gradient.shape, expected[name].shape);
            assertClose(gradient.dataSync(), expected[name], name);
          }
        });
      });
    }
  }
});
