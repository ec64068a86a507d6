import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { parseConfig } from '../config/load.js';
import { EagerProgram } from '../engine/eager.js';
import { CompiledProgram } from '../engine/graph/compiled.js';
import { kernels } from '../engine/kernel-table.js';
import { loadEngine } from '../engine/load.js';
import type { Program } from '../engine/program.js';
import { describeModel } from '../models/describe.js';
import { proposalHead } from '../models/detection/proposal-head.js';
import { formulaLabels, formulaValue, formulaValues } from '../models/testing/formula.js';
import { createNormalizer } from '../normalizers/index.js';
import { withOptimizerSlots } from '../runs/optimizer-slots.js';
import { classification } from '../tasks/classification.js';
import { defineEvaluation } from '../training/evaluation.js';
import type { Network } from '../training/network.js';
import { defineTraining } from '../training/step.js';
import { type Model, perDimension } from './net.js';
import { TensorNet } from './tensor-net.js';

before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 1, interOp: 1 }, quiet: true }));

/** Clips `[T, H, W, 3]`, of sizes that differ and are odd, through every kind of layer. */
const shape = [5, 9, 7, 3];
const clips: Model = (net, images) => {
  let x = net.conv('stem', images, { filters: 16, kernel: [5, 7, 7], stride: [1, 2, 2], ofImage: true });
  x = net.norm('norm1', x, { relu: true });
  x = net.maxPool(x, { kernel: [1, 3, 3], stride: [1, 2, 2] });
  const residual = net.subsample(x, [2, 1, 1], 32);
  let y = net.conv('conv1', x, { filters: 32, kernel: [3, 1, 1], stride: [2, 1, 1] });
  y = net.norm('norm2', y, { relu: true });
  y = net.conv('conv2', y, { filters: 32, kernel: [1, 3, 3] });
  y = net.norm('norm3', y, { residual, relu: true });
  y = net.maxPool(y, { kernel: [2, 1, 1], stride: [2, 1, 1] });
  y = net.norm('norm4', net.conv('conv3', y, { filters: 16, kernel: 3, padding: 1, bias: true }), {
    relu: true,
  });
  return { logits: net.dense('head', net.globalAveragePool(y), 4) };
};

function networkOf(normalizer: string, use: 'kernels' | 'definitions', precision = 'float32'): Network {
  const text = `model: resnet20\nnormalizer: ${normalizer}\ndata: cifar10\nbatch: {size: 2, workers: 2}\nprecision: ${precision}\n`;
  const config = parseConfig(text, { file: 'test.yaml' });
  const { variables } = describeModel(clips, config.normalizer, { shape });
  const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
  return { config, model: clips, task: classification(), variables, shape, pixels, kernels: kernels(use) };
}

const parseNormalizer = (text: string) =>
  parseConfig(`model: resnet20\nnormalizer: ${text}\ndata: cifar10\n`, { file: 'test.yaml' }).normalizer;

const images = Uint8Array.from(formulaValue('images', [4, ...shape]).data, (value) => 128 + 70 * value);
const batch = { images, labels: formulaLabels(4, 4) };

/** One training step from the formula's weights: the loss, the gradients, and logits before. */
function stepOf(network: Network, program: Program) {
  const trainOn = defineTraining(program, network);
  const { logits } = defineEvaluation(program, network, [4])(batch, 4);
  const { loss } = trainOn(batch, 0.1, { step: 0, fractionDone: 1 });
  const values = program.read();
  program.dispose();
  return { logits, loss, values };
}

const norm = (data: ArrayLike<number>) =>
  Math.sqrt(Array.from(data).reduce((sum, value) => sum + value * value, 0));
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  norm(Array.from(a, (value, index) => value - b[index]));

describe('a network of three dimensions', () => {
  const normalizers = [
    'batch',
    'group',
    'layer',
    'instance',
    'none',
    'sync-batch',
    'frozen-batch',
    'batch-renorm',
    'filter-response',
    'weight-norm',
    '{name: group, weightStandardization: true}',
  ];
  for (const normalizer of normalizers) {
    it(`computes the same by kernels and compiled as by definitions, ${normalizer}`, () => {
      const plain = networkOf(normalizer, 'definitions');
      const initial = withOptimizerSlots(plain.variables, formulaValues(plain.variables));
      const expected = stepOf(plain, new EagerProgram(initial));
      const actual = stepOf(networkOf(normalizer, 'kernels'), new CompiledProgram(initial));
      assert.ok(distance(actual.logits, expected.logits) <= 1e-5 * norm(expected.logits));
      assert.ok(Math.abs(actual.loss - expected.loss) <= 1e-5 * expected.loss);
      for (const [name, { data }] of Object.entries(expected.values)) {
        const difference = distance(actual.values[name].data, data);
        // In front of a normalizer a bias has no gradient but rounding.
        assert.ok(difference <= 1e-4 * Math.max(norm(data), 1e-2), `${name}: ${difference} of ${norm(data)}`);
      }
    });
  }

  it('in bfloat16 is near to float32', () => {
    const network = networkOf('group', 'kernels');
    const initial = withOptimizerSlots(network.variables, formulaValues(network.variables));
    const full = stepOf(network, new CompiledProgram(initial));
    const low = networkOf('group', 'kernels', 'bfloat16');
    const program = new CompiledProgram(initial, { precision: 'bfloat16' });
    const half = stepOf(low, program);
    const low3d = program.nodes.filter(
      ({ op, attributes: { T } }) => op.startsWith('Conv3D') && T?.kind === 'type' && T.value === 14,
    );
    assert.ok(low3d.length > 0, 'no convolution of three dimensions in bfloat16');
    assert.notEqual(half.loss, full.loss);
    // 2⁻⁹ a rounding, some ten roundings in a row.
    assert.ok(Math.abs(half.loss - full.loss) <= 0.02 * full.loss, `${half.loss}, float32 ${full.loss}`);
    assert.ok(distance(half.logits, full.logits) <= 0.02 * norm(full.logits));
  });

  it('has the shapes and parameters that its description says', () => {
    const { variables, layers, parameters } = describeModel(
      clips,
      { name: 'batch', epsilon: 1e-5, momentum: 0.9 },
      { shape },
    );
    const outputs = layers.map(({ name, outputShape }) => [name, outputShape.join('×')]);
    assert.deepEqual(
      outputs.filter(([name]) => !name.startsWith('norm')),
      [
        ['stem', '5×5×4×16'],
        ['pool', '5×3×2×16'],
        ['shortcut', '3×3×2×32'],
        ['conv1', '3×3×2×32'],
        ['conv2', '3×3×2×32'],
        ['pool', '1×3×2×32'],
        ['conv3', '1×3×2×16'],
        ['pool', '16'],
        ['head', '4'],
      ],
    );
    const weights = 5 * 7 * 7 * 3 * 16 + 3 * 16 * 32 + 9 * 32 * 32 + 27 * 32 * 16 + 16;
    assert.equal(parameters, weights + 2 * (16 + 32 + 32 + 16) + 16 * 4 + 4);
    const conv2 = layers.find(({ name }) => name === 'conv2')!;
    assert.equal(conv2.flops, 3 * 3 * 2 * 9 * 32 * 32);
    const stem = variables.find(({ name }) => name === 'stem.weight')!;
    assert.deepEqual(stem.shape, [5, 7, 7, 3, 16]);
    assert.deepEqual(stem.initial, { kind: 'normal', std: Math.sqrt(2 / (5 * 7 * 7 * 16)) });
  });

  it('the description and the computation agree in every layer’s shape', () => {
    const seen: string[] = [];
    const normalizer = createNormalizer({ name: 'none', zeroBranches: false });
    const values = formulaValues(
      describeModel(clips, { name: 'none', zeroBranches: false }, { shape }).variables,
    );
    const program = new EagerProgram(values);
    const run = program.define('shapes', { images: { shape: [2, ...shape], dtype: 'float32' } }, (step) => {
      const mode = { training: false, workers: 1, precision: 'float32' } as const;
      const net = new TensorNet(step, () => normalizer, mode, {}, { scheduled: () => assert.fail() });
      for (const key of ['conv', 'maxPool', 'subsample', 'globalAveragePool', 'dense'] as const) {
        const layer = net[key].bind(net) as (...all: unknown[]) => Tensor;
        Object.assign(net, {
          [key]: (...all: unknown[]) => {
            const y = layer(...all);
            seen.push(y.shape.slice(1).join('×'));
            return y;
          },
        });
      }
      return clips<Tensor>(net, step.feed('images'));
    });
    run({ images: formulaValue('images', [2, ...shape]).data });
    const { layers } = describeModel(clips, { name: 'none', zeroBranches: false }, { shape });
    const described = layers
      .filter(({ kind }) => kind !== 'norm')
      .map(({ outputShape }) => outputShape.join('×'));
    assert.deepEqual(seen, described);
  });

  it('filters without a normalizer behind them are left as they are by one of weights', () => {
    const head: Model = (net, map) => proposalHead(net, map, { channels: 8, anchors: 3 });
    const { variables } = describeModel(head, parseNormalizer('none'), { shape: [5, 6, 4] });
    const program = new EagerProgram(formulaValues(variables));
    const outputs = ['none', 'weight-norm', '{name: group, weightStandardization: true}'].map((text) => {
      const normalizer = createNormalizer(parseNormalizer(text));
      const run = program.define(text, { map: { shape: [2, 5, 6, 4], dtype: 'float32' } }, (step) => {
        const mode = { training: true, workers: 1, precision: 'float32' } as const;
        const net = new TensorNet(step, () => normalizer, mode, {}, { scheduled: () => assert.fail() });
        return head<Tensor>(net, step.feed('map'));
      });
      return run({ map: formulaValue('map', [2, 5, 6, 4]).data });
    });
    assert.deepEqual(outputs[1], outputs[0]);
    assert.deepEqual(outputs[2], outputs[0]);
  });

  it('needs as many numbers as there are dimensions', () => {
    assert.deepEqual(perDimension(3, 2), [3, 3]);
    assert.deepEqual(perDimension([1, 2, 3], 3), [1, 2, 3]);
    assert.throws(() => perDimension([1, 2], 3), /\[1, 2\] has 2 numbers where there are 3 dimensions/);
  });
});
