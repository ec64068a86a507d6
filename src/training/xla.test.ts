/** XLA against the same graphs uncompiled: a training step of every normalizer, and of a model of each family. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { parseConfig } from '../config/load.js';
import { CompiledProgram } from '../engine/graph/compiled.js';
import { loadTestEngine } from '../engine/testing/test-engine.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { formulaValues } from '../models/testing/formula.js';
import type { Model } from '../nn/net.js';
import { withOptimizerSlots } from '../runs/optimizer-slots.js';
import { classification } from '../tasks/classification.js';
import type { Network } from './network.js';
import { defineTraining } from './step.js';

before(async () => {
  // On the CPU without LLVM's optimizations: twice as fast to compile, and the graph is the same.
  if (process.env.GNBENCH_TEST_VARIANT !== 'cuda')
    process.env.XLA_FLAGS = '--xla_backend_optimization_level=0';
  await loadTestEngine({ compiler: 'xla' });
});

/** Two blocks: each kind of convolution, normalization behind a ReLU, beside a shortcut and at the end. */
const smallNet: Model = (net, images) => {
  let x = net.norm('a.norm', net.conv('a.conv', images, { filters: 16, kernel: 3 }), { relu: true });
  const shortcut = net.subsample(x, 2, 32);
  x = net.norm('b.norm', net.conv('b.conv', x, { filters: 32, kernel: 3, stride: 2 }), { relu: true });
  x = net.norm('c.norm', net.conv('c.conv', x, { filters: 32, kernel: 1 }), {
    relu: true,
    residual: shortcut,
  });
  return { logits: net.dense('head', net.globalAveragePool(x), 10) };
};

/** A step from the formula's weights: its loss, and all variables after it. */
function stepOf(network: Network, xla: boolean) {
  const { config, variables, shape } = network;
  const program = new CompiledProgram(withOptimizerSlots(variables, formulaValues(variables)), {
    precision: config.precision,
    xla,
  });
  const trainOn = defineTraining(program, network);
  const count = config.batch.size * config.batch.workers;
  const size = shape.reduce((product, length) => product * length);
  const images = Uint8Array.from({ length: count * size }, (_, i) => (i * 31 + (i >> 7) * 17) % 256);
  const labels = Int32Array.from({ length: count }, (_, i) => (i * 3) % 10);
  const { loss } = trainOn({ images, labels }, 0.05, { step: 0, fractionDone: 1 });
  const values = program.read();
  program.dispose();
  return { loss, values };
}

const norm = (data: ArrayLike<number>) =>
  Math.sqrt(Array.from(data).reduce((sum, value) => sum + value ** 2, 0));

function networkOf(text: string, side: number, model?: Model): Network {
  const config = parseConfig(`data: {name: cifar10}\n${text}`, { file: 'test.yaml' });
  const net = model ?? createModel(config.model, 10);
  const shape = [side, side, 3];
  const { variables } = describeModel(net, config.normalizer, { shape });
  const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
  return { config, model: net, task: classification(), variables, shape, kernels: {}, pixels };
}

type Result = ReturnType<typeof stepOf>;
const distance = (a: Result, b: Result, name: string) =>
  norm(a.values[name].data.map((value, index) => value - b.values[name].data[index]));

function assertAgrees(compiled: Result, plain: Result, tolerance: number): void {
  assert.ok(
    Math.abs(compiled.loss - plain.loss) <= tolerance * plain.loss,
    `${compiled.loss}, ${plain.loss}`,
  );
  for (const [name, { data }] of Object.entries(plain.values)) {
    const difference = distance(compiled, plain, name);
    assert.ok(difference <= tolerance * (norm(data) + 1e-3), `${name}: ${difference} of ${norm(data)}`);
  }
}

const normalizers = [
  ...['batch', 'group', 'layer', 'instance', 'sync-batch', 'frozen-batch', 'batch-renorm', 'filter-response'],
  ...['weight-norm', 'none'],
];

describe('XLA computes what the uncompiled graph does', () => {
  for (const name of normalizers) {
    const text = `model: {name: resnet20}\nnormalizer: {name: ${name}}\nbatch: {size: 2, workers: 2}\n`;
    it(`with ${name}`, () => {
      const network = networkOf(text, 8, smallNet);
      assertAgrees(stepOf(network, true), stepOf(network, false), 1e-4);
    });

    if (!['batch', 'group', 'none'].includes(name)) continue;
    // Two ways of rounding differ by as much as each does from float32.
    it(`with ${name} in bfloat16, as near to float32`, () => {
      const exact = stepOf(networkOf(text, 8, smallNet), false);
      const network = networkOf(`${text}precision: bfloat16\n`, 8, smallNet);
      const [compiled, plain] = [stepOf(network, true), stepOf(network, false)];
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
    const network = networkOf(text, 8, smallNet);
    assertAgrees(stepOf(network, true), stepOf(network, false), 1e-4);
  });

  // Dropout is a function of the seed in both, but not the same one.
  for (const model of ['{name: resnet20}', '{name: resnet18}', '{name: vgg16, dropout: 0}']) {
    it(`of ${model}`, () => {
      const network = networkOf(`model: ${model}\nnormalizer: {name: group}\nbatch: {size: 2}\n`, 32);
      assertAgrees(stepOf(network, true), stepOf(network, false), 1e-4);
    });
  }
});
