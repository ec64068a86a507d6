import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-node-gpu';
import { parseConfig } from '../config/load.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { initialize } from '../nn/initialize.js';
import { withOptimizerSlots } from '../runs/optimizer-slots.js';
import { classification } from '../tasks/classification.js';
import { defineEvaluation } from '../training/evaluation.js';
import type { Network } from '../training/network.js';
import { defineStatistics } from '../training/precise-statistics.js';
import { defineTraining } from '../training/step.js';
import { EagerProgram } from './eager.js';
import { lossAndGradients, stepScope } from './gradients.js';
import { CompiledProgram } from './graph/compiled.js';
import { type Kernels, kernels } from './kernel-table.js';
import { backend, loadEngine, loaded, tf } from './load.js';
import { convolution } from './ops/convolution.js';
import type { Program } from './program.js';

before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 1, interOp: 1 }, quiet: true }));

/** All that a run computes: training with moving averages, evaluation, precise statistics. */
function define(program: Program, network: Network): void {
  defineTraining(program, network);
  defineEvaluation(program, network, [2]);
  defineStatistics(program, network, 2);
}

function networkOf(normalizer: string, use: Kernels) {
  const text = `model: resnet20\nnormalizer: ${normalizer}\ndata: cifar10\nbatch: {size: 2}\noptimizer: {emaDecay: 0.9, labelSmoothing: 0.1}\n`;
  const config = parseConfig(text, { file: 'test.yaml' });
  const model = createModel(config.model, 10);
  const shape = [32, 32, 3];
  const { variables } = describeModel(model, config.normalizer, { shape });
  const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
  const task = classification({ labelSmoothing: config.optimizer.labelSmoothing });
  const network: Network = { config, model, task, variables, shape, pixels, kernels: use };
  return { network, initial: withOptimizerSlots(variables, initialize(variables, 1), { averaged: true }) };
}

const normalizers = [
  'batch',
  'group',
  'layer',
  'instance',
  'none',
  'sync-batch',
  'frozen-batch',
  'batch-renorm',
];
const batch = { images: new Uint8Array(2 * 32 * 32 * 3).fill(7), labels: Int32Array.of(1, 2) };

describe('without kernels, everything is computed by its definition', () => {
  for (const normalizer of [...normalizers, 'filter-response', 'weight-norm']) {
    it(`in a compiled program with ${normalizer}`, () => {
      const operationsWith = (use: 'kernels' | 'definitions') => {
        const { network, initial } = networkOf(normalizer, kernels(use));
        const program = new CompiledProgram(initial, { kernels: kernels(use) });
        define(program, network);
        return [...new Set(program.nodes.map(({ op }) => op).filter((op) => op.startsWith('Gnbench')))];
      };
      assert.deepEqual(operationsWith('definitions'), []);
      assert.ok(operationsWith('kernels').length >= 10);
    });
  }

  it('in an eager program', () => {
    const { network, initial } = networkOf('batch', kernels('definitions'));
    const program = new EagerProgram(initial);
    const trainOn = defineTraining(program, network);
    const evaluate = defineEvaluation(program, network, [2]);
    const seen = new Set<string>();
    const { binding } = backend;
    backend.binding = Object.create(binding, {
      executeOp: {
        value(...call: Parameters<typeof binding.executeOp>) {
          seen.add(call[0]);
          return binding.executeOp(...call);
        },
      },
    });
    try {
      trainOn(batch, 0.1, { step: 0, fractionDone: 0 });
      evaluate(batch, 2);
    } finally {
      backend.binding = binding;
    }
    program.dispose();
    assert.ok(seen.has('Conv2D'));
    assert.deepEqual(
      [...seen].filter((op) => op.startsWith('Gnbench')),
      [],
    );
  });
});

describe('the table of kernels', () => {
  it('holds what there is for the device', () => {
    const { device, addon } = loaded;
    const names = () => Object.keys(kernels('kernels'));
    assert.ok(names().includes('convolution'));
    try {
      loaded.addon = undefined;
      assert.deepEqual(names(), []);
      loaded.device = 'GPU';
      assert.deepEqual(names(), [], 'those of the CPU do not serve a GPU');
      loaded.gpuOperations = ['GnbenchNormalize', 'GnbenchNormalizeGrad'];
      assert.deepEqual(names(), ['normalize']);
      loaded.gpuOperations = ['GnbenchNormalize'];
      assert.deepEqual(names(), [], 'a forward kernel without its gradient serves nobody');
    } finally {
      Object.assign(loaded, { device, addon, gpuOperations: undefined });
    }
  });

  it('has no kernel on a GPU for more images than a grid holds', () => {
    const { normalize, globalAverage } = kernels('kernels');
    const { device } = loaded;
    try {
      for (const [on, fits] of [
        ['CPU', true],
        ['GPU', false],
      ] as const) {
        loaded.device = on;
        assert.ok(normalize!.fits([65_535, 7, 7, 32]) && globalAverage!.fits([65_535, 7, 7, 32]));
        assert.equal(normalize!.fits([65_536, 7, 7, 32]), fits);
        assert.equal(globalAverage!.fits([65_536, 7, 7, 32]), fits);
      }
    } finally {
      loaded.device = device;
    }
  });

  it('has a kernel for no convolution beyond its limits', () => {
    const usual = {
      input: [2, 8, 8, 16],
      weight: [3, 3, 16, 32],
      stride: [1, 1],
      padding: [1, 1],
      precision: 'float32',
      ofImage: false,
    } as const;
    const { fits } = kernels('kernels').convolution!;
    assert.ok(fits(usual));
    assert.ok(fits({ ...usual, input: [2, 8, 8, 3], weight: [3, 3, 3, 32], ofImage: true }));
    const beyond = [
      { weight: [9, 9, 16, 32], padding: [4, 4] },
      { weight: [4, 4, 16, 32], padding: [1.5, 1.5] },
      { weight: [3, 1, 16, 32], padding: [1, 0] },
      { padding: [0, 0] },
      { stride: [1, 2] },
      { stride: [3, 3] },
      { weight: [3, 3, 16, 24] },
      { input: [2, 8, 8, 3], weight: [3, 3, 3, 32] },
      { input: [2, 4, 8, 8, 16] },
    ];
    for (const each of beyond) assert.ok(!fits({ ...usual, ...each }), JSON.stringify(each));
    assert.ok(fits({ ...usual, weight: [3, 3, 512, 1024], input: [2, 8, 8, 512] }));
    assert.ok(fits({ ...usual, input: [2, 8, 8, 3], weight: [7, 7, 3, 64], padding: [3, 3], ofImage: true }));
  });
});

describe('a convolution of three channels', () => {
  const gradientOf = (use: Kernels) =>
    stepScope(() => {
      const x = tf.linspace(-1, 1, 2 * 6 * 6 * 3).reshape([2, 6, 6, 3]) as Tensor4D;
      const weights = [16, 3].map((_, index) => {
        const shape = index === 0 ? [3, 3, 16, 3] : [3, 3, 3, 16];
        const size = shape.reduce((product, each) => product * each, 1);
        return tf.linspace(-0.5, 0.7, size).sin().reshape(shape) as Tensor4D;
      });
      const wide = tf.tile(x, [1, 1, 1, 6]).slice([0, 0, 0, 0], [2, 6, 6, 16]) as Tensor4D;
      const options = { stride: [1, 1], padding: [1, 1], precision: 'float32' } as const;
      // Sixteen channels to three, as in a bottleneck or a mask's head, and back.
      const { gradients } = lossAndGradients(() => {
        const narrow = convolution(wide, weights[0], options, use);
        return convolution(narrow, weights[1], options, use).square().sum();
      }, weights as Tensor[]);
      return gradients.map((each) => Array.from(each.dataSync()));
    });

  it('in the middle of a network has a gradient, by kernels too', () => {
    const [first] = gradientOf(kernels('kernels'));
    const [expected] = gradientOf({});
    const largest = Math.max(...expected.map(Math.abs));
    assert.ok(largest > 1);
    for (const [index, value] of first.entries())
      assert.ok(Math.abs(value - expected[index]) <= 1e-4 * largest, `${value}, ${expected[index]}`);
  });

  it('of the image itself is left without one', () => {
    const options = { stride: [1, 1], padding: [1, 1], precision: 'float32', ofImage: true } as const;
    const gradient = stepScope(() => {
      const x = tf.ones([1, 4, 4, 3]) as Tensor4D;
      const weight = tf.ones([3, 3, 3, 16]) as Tensor4D;
      const { gradients } = lossAndGradients(
        () => convolution(x, weight, options, kernels('kernels')).sum(),
        [x],
      );
      return gradients[0].dataSync();
    });
    assert.ok(gradient.every((value) => value === 0));
  });
});
