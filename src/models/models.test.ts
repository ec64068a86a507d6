import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { EagerProgram } from '../engine/eager.js';
import { CompiledProgram } from '../engine/graph/compiled.js';
import { kernels } from '../engine/kernel-table.js';
import { tf } from '../engine/load.js';
import { dropout } from '../engine/ops/dropout.js';
import type { Program, VariableValue } from '../engine/program.js';
import { loadTestEngine } from '../engine/testing/test-engine.js';
import type { Model } from '../nn/net.js';
import { withOptimizerSlots } from '../runs/optimizer-slots.js';
import { classification } from '../tasks/classification.js';
import { defineEvaluation } from '../training/evaluation.js';
import type { Network } from '../training/network.js';
import { defineTraining } from '../training/step.js';
import { describeModel } from './describe.js';
import { createModel } from './index.js';
import { acrossKinks, assertNear, assertSummary, type TensorSummary } from './testing/compare.js';
import { formulaLabels, formulaValue, formulaValues } from './testing/formula.js';

interface Case {
  name: string;
  normalizer: string;
  shortcut?: string;
  groups?: number;
  timeStrides?: [number, number, number];
  parameters: number;
  imagesName: string;
  loss: number;
  logits: number[];
  gradients: Record<string, TensorSummary>;
  updated?: Record<string, TensorSummary>;
  evaluationLogits?: number[];
}

const fixtures = fileURLToPath(new URL('../../src/models/fixtures/', import.meta.url));
const read = (name: string) => JSON.parse(readFileSync(`${fixtures}${name}.json`, 'utf8'));

function configOf(
  { normalizer, groups, shortcut, timeStrides }: Case,
  model: string,
  images: number,
): Config {
  const [conv1, pool1, pool2] = timeStrides ?? [];
  const options = [
    ...(shortcut ? [`shortcut: ${shortcut}`] : []),
    ...(timeStrides ? [`timeStrides: { conv1: ${conv1}, pool1: ${pool1}, pool2: ${pool2} }`] : []),
    ...(timeStrides || model === 'vgg16' ? ['dropout: 0'] : []),
  ];
  const text = [
    `model: { ${[`name: ${model}`, ...options].join(', ')} }`,
    `normalizer: { name: ${normalizer}${groups ? `, groups: ${groups}` : ''} }`,
    'data: { name: cifar10 }',
    `batch: { size: ${images} }`,
  ].join('\n');
  return parseConfig(text, { file: 'test.yaml' });
}

before(() => loadTestEngine());

const forms: {
  form: string;
  make: (initial: Record<string, VariableValue>) => Program;
  use: 'kernels' | 'definitions';
}[] = [
  { form: 'eager, in plain operations', make: (initial) => new EagerProgram(initial), use: 'definitions' },
  { form: 'compiled, by kernels', make: (initial) => new CompiledProgram(initial), use: 'kernels' },
];

const atStart = { step: 0, fractionDone: 0 };

describe('models agree with PyTorch', () => {
  // ResNet-50's images, those of I3D with BN, and VGG-16's, hit ReLUs where float32 and float64 fall on different sides of the kink.
  const clips = ['i3d-resnet18', 'c2d-resnet18'];
  const small = ['resnet20', 'preact-resnet20', 'resnet18-cifar', 'resnet18', ...clips];
  const kinked = ['resnet50', 'i3d-resnet50-batch', 'vgg16'];
  for (const file of [...small, 'i3d-resnet50', ...kinked]) {
    const { model, images: shape, classes, cases } = read(file);
    for (const fixture of cases as Case[]) {
      for (const { form, make, use } of small.includes(file) ? forms : forms.slice(1)) {
        it(`${model} ${fixture.name}, ${form}`, () => {
          const config = configOf(fixture, model, shape[0]);
          const created = createModel(config.model, classes);
          const { variables, parameters } = describeModel(created, config.normalizer, {
            shape: shape.slice(1),
          });
          assert.equal(parameters, fixture.parameters);
          const network: Network = {
            config,
            model: created,
            task: classification(),
            variables,
            shape: shape.slice(1),
            kernels: kernels(use),
          };
          const values = formulaValues(variables);
          const trains = model !== 'vgg16' || process.env.GNBENCH_TEST_LARGE !== undefined; // a minute, and 6 GB
          const weights = trains ? withOptimizerSlots(variables, values) : values;
          const program = make(weights);
          const trainOn = trains ? defineTraining(program, network) : undefined;
          const evaluate = defineEvaluation(program, network, [shape[0]]);

          const images = formulaValue(fixture.imagesName, shape).data;
          const labels = formulaLabels(shape[0], classes);
          const evaluated = evaluate({ images, labels }, shape[0]);
          const expectedLogits = fixture.evaluationLogits ?? fixture.logits;
          assertNear(evaluated.logits, expectedLogits, 2e-5, 'logits in evaluation');
          if (!trainOn) return program.dispose();
          const { loss } = trainOn({ images, labels }, 0.1, atStart);
          assert.ok(Math.abs(loss - fixture.loss) <= 1e-5 * fixture.loss, `loss ${loss}, ${fixture.loss}`);

          const after = program.read();
          for (const [name, expected] of Object.entries(fixture.updated ?? {})) {
            const closeness = kinked.includes(file) ? acrossKinks : { norm: 2e-5, typical: 2e-5 };
            assertSummary(after[name].data, expected, closeness, `${name} after a step`);
          }
          for (const [name, expected] of Object.entries(fixture.gradients)) {
            const before = weights[name].data;
            const gradient = after[`${name}.velocity`].data.map(
              (velocity, index) => velocity - 1e-4 * before[index],
            );
            const closeness = kinked.includes(file) ? acrossKinks : { norm: 1e-4, typical: 1e-4 };
            assertSummary(gradient, expected, closeness, `gradient of ${name}`);
          }
          program.dispose();
        });
      }
    }
  }
});

describe('published numbers of parameters', () => {
  const published: Record<string, number> = read('parameter-counts');
  for (const [name, count] of Object.entries(published)) {
    it(`${name} has ${count}`, () => {
      const [model, norm = name.startsWith('vgg') ? 'none' : 'bn'] = name.split('_');
      const text = `model: ${model}\nnormalizer: ${norm}\ndata: cifar10\n`;
      const config = parseConfig(text, { file: 'test.yaml' });
      const shape = [224, 224, 3];
      assert.equal(
        describeModel(createModel(config.model, 1000), config.normalizer, { shape }).parameters,
        count,
      );
    });
  }

  // pytorchvideo's model zoo has 28.04 and 24.33 million.
  for (const [model, count] of [
    ['i3d-resnet50', 28_043_472],
    ['c2d-resnet50', 24_327_632],
  ] as const) {
    for (const norm of ['bn', 'gn']) {
      it(`${model} with ${norm} has ${count} with Kinetics’ 400 classes`, () => {
        const config = parseConfig(`model: ${model}\nnormalizer: ${norm}\ndata: cifar10\n`, {
          file: 'a.yaml',
        });
        const shape = [32, 224, 224, 3];
        const described = describeModel(createModel(config.model, 400), config.normalizer, { shape });
        assert.equal(described.parameters, count);
        assert.deepEqual(described.outputs.c5, [4, 7, 7, 2048]);
      });
    }
  }

  it('and of multiply-adds: 4.1e9 of ResNet-50, 15.5e9 of VGG-16', () => {
    const flopsOf = (model: string) => {
      const config = parseConfig(`model: ${model}\nnormalizer: none\ndata: cifar10\n`, { file: 'a.yaml' });
      return describeModel(createModel(config.model, 1000), config.normalizer, { shape: [224, 224, 3] })
        .layers.filter(({ kind }) => kind === 'conv' || kind === 'dense')
        .reduce((sum, { flops }) => sum + flops, 0);
    };
    assert.equal(Number((flopsOf('resnet50') / 1e9).toFixed(1)), 4.1);
    assert.equal(Number((flopsOf('vgg16') / 1e9).toFixed(1)), 15.5);
  });
});

describe('named outputs', () => {
  const outputsOf = (name: string, side: number) => {
    const config = parseConfig(`model: ${name}\nnormalizer: none\ndata: cifar10\n`, { file: 'a.yaml' });
    const shape = [side, side, 3];
    return describeModel(createModel(config.model, 7), config.normalizer, { shape }).outputs;
  };

  it('are the logits and the feature maps behind the stages', () => {
    assert.deepEqual(outputsOf('resnet50', 224), {
      c2: [56, 56, 256],
      c3: [28, 28, 512],
      c4: [14, 14, 1024],
      c5: [7, 7, 2048],
      logits: [7],
    });
    const ofCifar = { c2: [32, 32, 16], c3: [16, 16, 32], c4: [8, 8, 64], logits: [7] };
    assert.deepEqual(outputsOf('resnet20', 32), ofCifar);
    assert.deepEqual(outputsOf('preact-resnet20', 32), ofCifar);
    assert.deepEqual(outputsOf('vgg16', 32), { logits: [7] });
  });
});

describe('the order of frames', () => {
  // Without strides over time C2D computes every frame by itself and averages: frames may be swapped.
  const logitsOf = (model: string, swapped: boolean) => {
    const fixture: Case = { ...read('i3d-resnet18').cases[1], timeStrides: [1, 1, 1] };
    const config = configOf(fixture, model, 1);
    const shape = [5, 17, 17, 3];
    const created = createModel(config.model, 4);
    const { variables } = describeModel(created, config.normalizer, { shape });
    const program = new CompiledProgram(formulaValues(variables));
    const network: Network = {
      config,
      model: created,
      task: classification(),
      variables,
      shape,
      kernels: kernels('kernels'),
    };
    const evaluate = defineEvaluation(program, network, [1]);
    const { data } = formulaValue('images0', [1, ...shape]);
    const frame = 17 * 17 * 3;
    const images = Float32Array.from(data, (_, at) => {
      const [from, to] = swapped ? [1, 3] : [1, 1];
      const index = Math.floor(at / frame);
      const source = index === from ? to : index === to ? from : index;
      return data[source * frame + (at % frame)];
    });
    const { logits } = evaluate({ images, labels: formulaLabels(1, 4) }, 1);
    program.dispose();
    return Array.from(logits as Float32Array);
  };
  const difference = (model: string) => {
    const [plain, swapped] = [logitsOf(model, false), logitsOf(model, true)];
    return Math.max(...plain.map((logit, at) => Math.abs(logit - swapped[at]) / Math.abs(logit)));
  };

  it('changes what I3D says, and not what C2D says', () => {
    assert.ok(difference('c2d-resnet18') < 1e-5);
    assert.ok(difference('i3d-resnet18') > 1e-3);
  });
});

describe('dropout', () => {
  const text = 'model: vgg16\nnormalizer: none\ndata: cifar10\nbatch: { size: 2 }\n';
  const config = parseConfig(text, { file: 'a.yaml' });
  const model: Model = (net, images) => ({
    logits: net.dense('head', net.dropout(net.flatten(images), 0.5), 10),
  });
  const shape = [4, 4, 3];
  const { variables } = describeModel(model, config.normalizer, { shape });
  const task = classification();
  const values = formulaValues(variables);
  const images = formulaValue('images0', [2, ...shape]).data;
  const batch = { images, labels: formulaLabels(2, 10) };

  for (const { form, make, use } of forms) {
    it(`is a function of seed and step, and off in evaluation, ${form}`, () => {
      const lossesOf = (seed: number, steps: number[]) => {
        const program = make(withOptimizerSlots(variables, values));
        const network: Network = {
          config: { ...config, seed },
          model,
          task,
          variables,
          shape,
          kernels: kernels(use),
        };
        const trainOn = defineTraining(program, network);
        const { logits } = defineEvaluation(program, network, [2])(batch, 2);
        const weight = values['head.weight'].data;
        const first = images.subarray(0, 48).reduce((sum, pixel, at) => sum + pixel * weight[10 * at], 0);
        assertNear(logits.subarray(0, 1), [first + values['head.bias'].data[0]], 1e-5, 'logit');
        const losses = steps.map((step) => trainOn(batch, 0, { step, fractionDone: 0 }).loss);
        program.dispose();
        return losses;
      };
      const losses = lossesOf(1, [0, 1, 2, 0, 1, 2]);
      assert.deepEqual(losses.slice(3), losses.slice(0, 3));
      assert.deepEqual(lossesOf(1, [2, 1]), [losses[2], losses[1]]);
      assert.equal(new Set([...losses, ...lossesOf(2, [0])]).size, 4);
    });
  }

  it('drops a share of the numbers and scales up the others', () => {
    const seed = Int32Array.of(1, 2);
    const dropped = dropout(tf.ones([100, 100]), 0.3, tf.tensor1d(seed, 'int32')).dataSync();
    const kept = dropped.filter((value) => value !== 0);
    assert.ok(kept.every((value) => Math.abs(value - 1 / 0.7) < 1e-6));
    assert.ok(Math.abs(kept.length / 10_000 - 0.7) < 0.02, `${kept.length}`);
  });
});

describe('label smoothing', () => {
  for (const { form, make, use } of forms) {
    it(`is the cross-entropy with smoothed labels, and not in evaluation, ${form}`, () => {
      const text = 'model: resnet20\nnormalizer: none\ndata: cifar10\nbatch: { size: 3 }\n';
      const config = parseConfig(`${text}optimizer: { labelSmoothing: 0.1 }\n`, { file: 'a.yaml' });
      const task = classification({ labelSmoothing: config.optimizer.labelSmoothing });
      const model: Model = (net, images) => ({ logits: net.dense('head', net.flatten(images), 10) });
      const shape = [4, 4, 3];
      const { variables } = describeModel(model, config.normalizer, { shape });
      const program = make(withOptimizerSlots(variables, formulaValues(variables)));
      const network: Network = { config, model, task, variables, shape, kernels: kernels(use) };
      const trainOn = defineTraining(program, network);
      const evaluate = defineEvaluation(program, network, [3]);
      const labels = formulaLabels(3, 10);
      const batch = { images: formulaValue('images0', [3, ...shape]).data, labels };
      const predictions = evaluate(batch, 3);
      const logits = predictions.logits as Float32Array;
      const evaluator = task.evaluator({ views: 1 });
      evaluator.add(predictions, batch, 3);
      const crossEntropy = (image: number, share: number) => {
        const own = [...logits.subarray(10 * image, 10 * image + 10)];
        const all = Math.log(own.reduce((sum, logit) => sum + Math.exp(logit), 0));
        const target = (label: number) => (label === labels[image] ? 1 - share : 0) + share / 10;
        return own.reduce((sum, logit, label) => sum + target(label) * (all - logit), 0);
      };
      const mean = (share: number) =>
        [0, 1, 2].reduce((sum, image) => sum + crossEntropy(image, share) / 3, 0);
      assertNear([evaluator.result().loss], [mean(0)], 1e-5, 'evaluation');
      assertNear([trainOn(batch, 0.1, atStart).loss], [mean(0.1)], 1e-5, 'training');
      // The gradient of the biases sums to 0, as softmax and target both sum to 1.
      const velocity = program.read()['head.bias.velocity'].data;
      const decay = program.read()['head.bias'].data.length * 1e-5;
      assert.ok(Math.abs(velocity.reduce((sum, value) => sum + value, 0)) < decay);
      program.dispose();
    });
  }
});

describe('the running average of the weights', () => {
  for (const { form, make, use } of forms) {
    it(`follows the weights and is what is evaluated, ${form}`, () => {
      const text = 'model: resnet20\nnormalizer: bn\ndata: cifar10\nbatch: { size: 3 }\n';
      const config = parseConfig(`${text}optimizer: { emaDecay: 0.8 }\n`, { file: 'a.yaml' });
      const task = classification();
      const model: Model = (net, images) => ({
        logits: net.dense('head', net.flatten(net.norm('norm', images, { relu: true })), 10),
      });
      const shape = [4, 4, 3];
      const { variables } = describeModel(model, config.normalizer, { shape });
      const program = make(withOptimizerSlots(variables, formulaValues(variables), { averaged: true }));
      const network: Network = { config, model, task, variables, shape, kernels: kernels(use) };
      const trainOn = defineTraining(program, network);
      const evaluate = defineEvaluation(program, network, [3]);
      const batch = { images: formulaValue('images0', [3, ...shape]).data, labels: formulaLabels(3, 10) };

      const expected = formulaValues(variables);
      for (let step = 0; step < 3; step++) {
        trainOn(batch, 0.1, atStart);
        const now = program.read();
        for (const { name } of variables) {
          const { data } = expected[name];
          data.forEach((old, at) => {
            data[at] = 0.8 * old + 0.2 * now[name].data[at];
          });
          assertNear(now[`${name}.average`].data, data, 1e-5, `${name}, step ${step}`);
        }
      }
      const { logits } = evaluate(batch, 3);
      const plain = parseConfig(text, { file: 'a.yaml' });
      const other = make(expected);
      const plainly = defineEvaluation(other, { ...network, config: plain }, [3]);
      assertNear(logits, plainly(batch, 3).logits, 1e-5, 'logits');
      program.dispose();
      other.dispose();
    });
  }
});
