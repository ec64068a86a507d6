/** XLA against the same graphs uncompiled: a training step of every normalizer, and of a model of each family. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadTestEngine } from '../engine/testing/test-engine.js';
import { assertAgrees, distance, networkOf, norm, smallNet, stepOf } from './testing/one-step.js';

before(async () => {
  // On the CPU without LLVM's optimizations: twice as fast to compile, and the graph is the same.
  if (process.env.GNBENCH_TEST_VARIANT !== 'cuda')
    process.env.XLA_FLAGS = '--xla_backend_optimization_level=0';
  await loadTestEngine({ compiler: 'xla' });
});

const normalizers = [
  ...['batch', 'group', 'layer', 'instance', 'sync-batch', 'frozen-batch', 'batch-renorm', 'filter-response'],
  ...['weight-norm', 'none'],
];

describe('XLA computes what the uncompiled graph does', () => {
  for (const name of normalizers) {
    const text = `model: {name: resnet20}\nnormalizer: {name: ${name}}\nbatch: {size: 2, workers: 2}\n`;
    it(`with ${name}`, () => {
      const network = networkOf(text, 8, { model: smallNet });
      assertAgrees(stepOf(network, { xla: true }), stepOf(network), 1e-4);
    });

    if (!['batch', 'group', 'none'].includes(name)) continue;
    // Two ways of rounding differ by as much as each does from float32.
    it(`with ${name} in bfloat16, as near to float32`, () => {
      const exact = stepOf(networkOf(text, 8, { model: smallNet }));
      const network = networkOf(`${text}precision: bfloat16\n`, 8, { model: smallNet });
      const [compiled, plain] = [stepOf(network, { xla: true }), stepOf(network)];
      for (const [variable, { data }] of Object.entries(exact.values)) {
        const allowed = 2 * distance(plain, exact, variable) + 0.01 * norm(data);
        const difference = distance(compiled, exact, variable);
        assert.ok(difference <= allowed, `${variable}: ${difference}, allowed ${allowed}`);
      }
    });
  }

  it('with standardized weights', () => {
    const normalizer = '{name: group, weightStandardization: true}';
    const text = `model: {name: resnet20}\nnormalizer: ${normalizer}\nbatch: {size: 2}\n`;
    const network = networkOf(text, 8, { model: smallNet });
    assertAgrees(stepOf(network, { xla: true }), stepOf(network), 1e-4);
  });

  // Dropout is a function of the seed in both, but not the same one.
  for (const model of ['{name: resnet20}', '{name: resnet18}', '{name: vgg16, dropout: 0}']) {
    it(`of ${model}`, () => {
      const network = networkOf(`model: ${model}\nnormalizer: {name: group}\nbatch: {size: 2}\n`, 32);
      assertAgrees(stepOf(network, { xla: true }), stepOf(network), 1e-4);
    });
  }

  it('of I3D, whose kernels reach over time', () => {
    const model = '{name: i3d-resnet18, dropout: 0, timeStrides: {conv1: 1, pool1: 1, pool2: 2}}';
    const text = `model: ${model}\nnormalizer: {name: group}\nbatch: {size: 2}\n`;
    const network = networkOf(text, 32, { frames: 4 });
    assertAgrees(stepOf(network, { xla: true }), stepOf(network), 1e-4);
  });
});
