import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it, test } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '../config/load.js';
import { CompiledProgram } from '../engine/graph/compiled.js';
import { kernels } from '../engine/kernel-table.js';
import { loadEngine } from '../engine/load.js';
import type { VariableValue } from '../engine/program.js';
import { UserError } from '../errors.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { acrossKinks, assertNear, assertSummary, type TensorSummary } from '../models/testing/compare.js';
import { formulaLabels, formulaValue, formulaValues, publishedValue } from '../models/testing/formula.js';
import { withOptimizerSlots } from '../runs/optimizer-slots.js';
import { classification } from '../tasks/classification.js';
import { defineEvaluation } from '../training/evaluation.js';
import type { Network } from '../training/network.js';
import { defineTraining } from '../training/step.js';
import { withPresentNames } from './detector-names.js';
import { exportedModel } from './published-models.js';
import { libraries, publishedModels, type WeightsLibrary } from './published-names.js';
import { fromPublished, publishedDifferences, toPublished } from './published-weights.js';
import type { Tensor, Written } from './safetensors.js';
import { describeArchitecture } from './weights-metadata.js';

type Shapes = Record<string, number[]>;
/** Names and shapes of state dicts, see src/models/fixtures/make.py. */
const fixture: Record<WeightsLibrary, Record<string, Shapes>> & { sameInTimm: string[] } = read('shapes');
const stateDicts: Record<WeightsLibrary, Record<string, Shapes>> = {
  torchvision: fixture.torchvision,
  timm: {
    ...Object.fromEntries(fixture.sameInTimm.map((name) => [name, fixture.torchvision[name]])),
    ...fixture.timm,
  },
};

function read(name: string) {
  return JSON.parse(readFileSync(`src/models/fixtures/published-${name}.json`, 'utf8'));
}

/** gnbench's form of a published model. */
function ours(name: string, classes = name.endsWith('_fpn') ? 90 : 1000, { dropout = 0.5 } = {}) {
  const { model, normalizer } = publishedModels[name];
  const named = model === 'vgg16' ? `{ name: vgg16, dropout: ${dropout} }` : model;
  const config = parseConfig(
    `model: ${named}\nnormalizer: ${normalizer}\ndata: cifar10\nbatch: { size: 2 }\ninit: { weights: theirs }\n`,
    {
      file: 'a.yaml',
    },
  );
  const created = createModel(config.model, classes);
  const shape = [224, 224, 3];
  const { variables } = describeModel(created, config.normalizer, { shape });
  return { config, model: created, variables, shape };
}

const empty = (shapes: Shapes): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { shape, data: new Float32Array() }]),
  );
const where = (library: WeightsLibrary, name: string) => ({ library, model: publishedModels[name].model });

describe('names and shapes of torchvision and timm', () => {
  for (const library of libraries) {
    for (const [name, shapes] of Object.entries(stateDicts[library])) {
      it(`${library}'s ${name} has those that gnbench says, and no other model of it has`, () => {
        const fitting = Object.keys(publishedModels).filter(
          (each) => !publishedDifferences(empty(shapes), ours(each).variables, where(library, each)).text,
        );
        assert.deepEqual(fitting, [name]);
      });
    }
  }

  it('all that is missing, extra and misshapen is listed at once', () => {
    const { 'bn1.weight': _, 'layer2.0.downsample.0.weight': __, ...rest } = stateDicts.timm.resnet50_gn;
    const tensors = empty({ ...rest, 'bn1.bias': [3, 4], 'layer5.0.conv1.weight': [1], 'fc.bias': [999] });
    assert.throws(
      () =>
        fromPublished(tensors, ours('resnet50_gn').variables, where('timm', 'resnet50_gn'), 'w.safetensors'),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.place, 'w.safetensors');
        assert.equal(
          error.message,
          'the weights are not timm\'s resnet50; missing: bn1.weight, layer2.0.downsample.0.weight; of another shape: bn1.bias [3,4] instead of [64], fc.bias [999] instead of [1000]; extra: "layer5.0.conv1.weight"',
        );
        assert.match(
          error.fix!,
          /--model, one of resnet18, .*vgg16_bn, maskrcnn_resnet50_fpn, fasterrcnn_resnet50_fpn$/,
        );
        return true;
      },
    );
  });

  it('a model that they do not have, or a variable, cannot be written as theirs', () => {
    const values = { 'stem.conv.weight': formulaValue('stem.conv.weight', [3, 3, 3, 16]) };
    assert.throws(
      () => toPublished(values, { library: 'timm', model: 'resnet20' }, 0),
      /timm has no resnet20/,
    );
    const tau = { 'stem.norm.tau': formulaValue('stem.norm.tau', [64]) };
    assert.throws(
      () => toPublished(tau, { library: 'timm', model: 'resnet50' }, 0),
      (error: unknown) => error instanceof UserError && /nothing for stem\.norm\.tau/.test(error.message),
    );
  });
});

/** A state dict by the formula of its own names and layouts. */
const fileOf = (shapes: Shapes): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, publishedValue(name, shape)]));

function assertSameTensors(actual: Record<string, Written>, expected: Record<string, Tensor>): void {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
  for (const [name, { shape, data }] of Object.entries(actual)) {
    assert.deepEqual(shape, expected[name].shape, name);
    const numbers = data instanceof Float32Array ? data : Float32Array.from(data, Number);
    assert.ok(Buffer.from(numbers.buffer).equals(Buffer.from(expected[name].data.buffer)), name);
  }
}

test('whatever names and shapes a file has: tensors of the same size, or a UserError', () => {
  const layer = fc.constantFrom(
    'stem.conv',
    'stem.norm',
    'stage1.block0.conv1',
    'stage5.conv3',
    'fc1',
    'fc2',
    'head',
    'constructor',
  );
  const leaf = fc.constantFrom('weight', 'bias', 'gamma', 'mean', 'variance', '__proto__', 'toString');
  const name = fc.oneof(
    fc.tuple(layer, leaf).map((parts) => parts.join('.')),
    fc.string(),
  );
  const shape = fc.array(fc.oneof(fc.nat(4), fc.constant(512)), { maxLength: 5 });
  const models = fc.constantFrom('vgg16', 'resnet50', 'resnet20', 'toString');
  let written = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, shape), { maxLength: 3 }),
      models,
      fc.constantFrom(...libraries),
      (all, model, library) => {
        const small = all.filter(([, sides]) => elements(sides) < 1e6);
        const values = Object.fromEntries(
          small.map(([key, sides]) => [key, { shape: sides, data: new Float32Array(elements(sides)) }]),
        );
        try {
          for (const { shape: sides, data } of Object.values(toPublished(values, { library, model }, 0))) {
            assert.equal(data.length, elements(sides));
            written++;
          }
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
      },
    ),
    { numRuns: Number(process.env.GNBENCH_FUZZ ?? 1000) },
  );
  assert.ok(written > 20, `${written}`);
});

const elements = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

describe('there and back, tensor for tensor', () => {
  it('torchvision’s resnet18', () => {
    const file = fileOf(stateDicts.torchvision.resnet18);
    const values = fromPublished(file, ours('resnet18').variables, where('torchvision', 'resnet18'), 'w');
    assertSameTensors(toPublished(values, where('torchvision', 'resnet18'), 0), file);
  });

  for (const [library, fc1, fc2] of [
    ['torchvision', 'classifier.0.weight', 'classifier.3.weight'],
    ['timm', 'pre_logits.fc1.weight', 'pre_logits.fc2.weight'],
  ] as const) {
    it(`${library}'s dense layers of VGG-16, number by number`, () => {
      const convolved = library === 'timm';
      const file = fileOf({
        [fc1]: convolved ? [3, 512, 7, 7] : [3, 512 * 49],
        [fc2]: convolved ? [5, 3, 1, 1] : [5, 3],
      });
      const variables = [
        { name: 'fc1.weight', shape: [49 * 512, 3] },
        { name: 'fc2.weight', shape: [3, 5] },
      ];
      const values = fromPublished(file, variables, where(library, 'vgg16'), 'w');
      assertSameTensors(toPublished(values, where(library, 'vgg16'), 0), file);
      for (let row = 0; row < 7; row++) {
        for (let channel = 0; channel < 512; channel += 73) {
          const [here, there] = [(row * 7 + 2) * 512 + channel, (channel * 7 + row) * 7 + 2];
          assert.equal(values['fc1.weight'].data[here * 3 + 1], file[fc1].data[512 * 49 + there]);
        }
      }
      assert.equal(values['fc2.weight'].data[2 * 5 + 4], file[fc2].data[4 * 3 + 2]);
    });
  }

  it('BN counts the steps, in 64-bit integers', () => {
    const { variables } = ours('resnet18', 10);
    const tensors = toPublished(formulaValues(variables), where('torchvision', 'resnet18'), 12);
    assert.deepEqual(tensors['layer4.1.bn2.num_batches_tracked'], { shape: [], data: BigInt64Array.of(12n) });
    const counters = Object.keys(tensors).filter((key) => key.endsWith('num_batches_tracked'));
    assert.equal(counters.length, 20);
  });
});

interface Case {
  library: WeightsLibrary;
  model: string;
  images: number[];
  classes: number;
  imagesName: string;
  evaluationLogits: number[];
  loss: number;
  gradients: Record<string, TensorSummary>;
}

test('torchvision’s detectors come in under the names that its published weights have, too', () => {
  const bothNames = [
    ['rpn.head.conv.weight', 'rpn.head.conv.0.0.weight'],
    ['backbone.fpn.inner_blocks.3.bias', 'backbone.fpn.inner_blocks.3.0.bias'],
    ['backbone.fpn.layer_blocks.0.weight', 'backbone.fpn.layer_blocks.0.0.weight'],
    ['roi_heads.mask_head.mask_fcn1.weight', 'roi_heads.mask_head.0.0.weight'],
    ['roi_heads.mask_head.mask_fcn4.bias', 'roi_heads.mask_head.3.0.bias'],
    ['roi_heads.mask_predictor.mask_fcn_logits.bias', 'roi_heads.mask_predictor.mask_fcn_logits.bias'],
    ['backbone.body.layer1.0.bn1.weight', 'backbone.body.layer1.0.bn1.weight'],
  ];
  for (const [before, now] of bothNames) {
    assert.deepEqual(withPresentNames({ [before]: 1, [now]: 1 }), { [now]: 1 });
  }
});

test('a detector with what torchvision has otherwise is not written as its own', () => {
  const refusal = (model: string, normalizer = 'group', library: WeightsLibrary = 'torchvision') => {
    const text = `model: ${model}\nnormalizer: ${normalizer}\ndata: coco\n`;
    const config = parseConfig(text, { file: 'a.yaml' });
    try {
      return exportedModel(describeArchitecture(config, 90), library, 'w');
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(refusal('mask-rcnn'), 'mask-rcnn');
  assert.equal(refusal('{name: faster-rcnn, boxHead: 4conv1fc}'), 'faster-rcnn');
  assert.match(refusal('{name: mask-rcnn, neck: c4, anchors: {sizes: [32]}}'), /a pyramid/);
  assert.match(refusal('{name: mask-rcnn, pooling: {box: 5}}'), /features of 7 × 7/);
  assert.match(refusal('{name: mask-rcnn, pooling: {aligned: true}}'), /not aligned/);
  assert.match(refusal('{name: mask-rcnn, anchors: {rounded: false}}'), /anchors at whole pixels/);
  const small = '{name: mask-rcnn, anchors: {sizes: [8, 16, 32, 64, 128]}}';
  assert.match(refusal(small), /anchors of the sizes 32, 64, 128, 256, 512/);
  assert.match(refusal('{name: faster-rcnn, anchors: {ratios: [0.25, 1, 4]}}'), /of the ratios 0\.5, 1, 2/);
  assert.match(refusal('{name: mask-rcnn, pooling: {mask: 7}}'), /features of 14 × 14 for the mask head/);
  assert.match(refusal('mask-rcnn', '{name: group, epsilon: 1e-3}'), /ε of 1e-5/);
  assert.match(refusal('mask-rcnn', 'group', 'timm'), /timm, which has no detectors/);
});

describe('a published file computes what it does in PyTorch', () => {
  before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 1, interOp: 1 }, quiet: true }));

  for (const name of ['timm-resnet50_gn', 'torchvision-resnet50', 'torchvision-vgg16_bn']) {
    it(name, () => {
      const { library, model: published, images: shape, ...expected }: Case = read(name);
      const {
        config,
        model,
        variables,
        shape: imageShape,
      } = ours(published, expected.classes, { dropout: 0 });
      const file = fileOf(stateDicts[library][published]);
      const values = fromPublished(file, variables, where(library, published), name);
      assertSameTensors(toPublished(values, where(library, published), 0), file);

      const trains = published !== 'vgg16_bn' || process.env.GNBENCH_TEST_LARGE !== undefined; // a minute, and 6 GB
      const program = new CompiledProgram(trains ? withOptimizerSlots(variables, values) : values);
      const network: Network = {
        config,
        model,
        task: classification(),
        variables,
        shape: imageShape,
        kernels: kernels('kernels'),
      };
      const trainOn = trains ? defineTraining(program, network) : undefined;
      const evaluate = defineEvaluation(program, network, [shape[0]]);
      const images = formulaValue(expected.imagesName, shape).data;
      const labels = formulaLabels(shape[0], expected.classes);
      const { logits } = evaluate({ images, labels }, shape[0]);
      assertNear(logits, expected.evaluationLogits, 1e-4, 'logits');
      if (!trainOn) return program.dispose();

      const { loss } = trainOn({ images, labels }, 0.1, { step: 0, fractionDone: 0 });
      assert.ok(Math.abs(loss - expected.loss) <= 1e-4 * expected.loss, `loss ${loss}, ${expected.loss}`);
      const after = program.read();
      program.dispose();
      const gradients: Record<string, VariableValue> = {};
      for (const { name: variable, shape: own, role } of variables) {
        if (role === 'statistic') continue;
        const velocity = after[`${variable}.velocity`].data;
        const decay = values[variable].data;
        gradients[variable] = { shape: own, data: velocity.map((value, at) => value - 1e-4 * decay[at]) };
      }
      const theirs = toPublished(gradients, where(library, published), 0);
      assert.deepEqual(Object.keys(theirs).sort(), Object.keys(expected.gradients).sort());
      for (const [key, summary] of Object.entries(expected.gradients)) {
        // As for ResNet-50 in models.test.ts: float32 and float64 fall on different sides of some ReLU's kink.
        assertSummary(theirs[key].data as Float32Array, summary, acrossKinks, `gradient of ${key}`);
      }
    });
  }
});
