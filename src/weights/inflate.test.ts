import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parseConfig } from '../config/load.js';
import { CompiledProgram } from '../engine/graph/compiled.js';
import { kernels } from '../engine/kernel-table.js';
import type { VariableValue } from '../engine/program.js';
import { loadTestEngine } from '../engine/testing/test-engine.js';
import { UserError } from '../errors.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { assertNear } from '../models/testing/compare.js';
import { formulaLabels, formulaValue, formulaValues } from '../models/testing/formula.js';
import type { Model, Pooling } from '../nn/net.js';
import type { Variable } from '../nn/variable.js';
import { readWeights } from '../runs/weights.js';
import { classification } from '../tasks/classification.js';
import type { Tensors } from '../tasks/task.js';
import { defineEvaluation } from '../training/evaluation.js';
import { inflate } from './inflate.js';
import { writeSafetensors } from './safetensors.js';

test('a kernel is repeated over time and divided by its length; what has no time stays', () => {
  const image = {
    'a.weight': { shape: [1, 1, 2, 1], data: Float32Array.of(3, -6) },
    'b.gamma': { shape: [2], data: Float32Array.of(1, 2) },
  };
  const clip = inflate(image, [
    { name: 'a.weight', shape: [3, 1, 1, 2, 1] },
    { name: 'b.gamma', shape: [2] },
    { name: 'missing', shape: [2] },
  ]);
  assert.deepEqual(clip, {
    'a.weight': { shape: [3, 1, 1, 2, 1], data: Float32Array.of(1, -2, 1, -2, 1, -2) },
    'b.gamma': image['b.gamma'],
  });
});

/** The last stage's features of an image or a clip of this shape; in evaluation, so that statistics are the running ones. */
function featuresOf(
  name: string,
  shape: number[],
  images: Float32Array,
  weights: (variables: Variable[]) => Record<string, VariableValue>,
  pooling: (model: Model) => Model = (model) => model,
): Float32Array {
  const strides = name.startsWith('i3d') ? ', timeStrides: { conv1: 1, pool1: 1, pool2: 1 }' : '';
  const config = parseConfig(`model: { name: ${name}${strides} }\nnormalizer: bn\ndata: cifar10\n`, {
    file: 'a.yaml',
  });
  const model = pooling(createModel(config.model, 7));
  const { variables } = describeModel(model, config.normalizer, { shape });
  const program = new CompiledProgram(weights(variables));
  const task = { ...classification(), predictions: ({ c5 }: Tensors) => ({ c5 }) };
  const network = { config, model, task, variables, shape, kernels: kernels('kernels') };
  const { c5 } = defineEvaluation(program, network, [1])({ images, labels: formulaLabels(1, 7) }, 1);
  program.dispose();
  return c5 as Float32Array;
}

/** I3D's pooling has no padding; apart from it, and from time, it is ResNet. */
const unpadded =
  (model: Model): Model =>
  (net, images) =>
    model(
      Object.create(net, {
        maxPool: { value: (x: never, options: Pooling) => net.maxPool(x, { ...options, padding: 0 }) },
      }),
      images,
    );

describe('ResNet-18 as I3D', () => {
  before(() => loadTestEngine());

  const frame = [41, 37, 3];
  const image = formulaValue('images0', [1, ...frame]).data;
  const variablesOf = () => {
    const config = parseConfig('model: resnet18\nnormalizer: bn\ndata: cifar10\n', { file: 'a.yaml' });
    return describeModel(createModel(config.model, 7), config.normalizer, { shape: frame }).variables;
  };
  // Convolutions of 5, then 3 five times, reach 7 frames in each direction.
  const [frames, middle] = [15, 7];
  /** The features of a clip's frames, `[frames, …]`. */
  const ofClip = (clip: Float32Array, weights = formulaValues(variablesOf())) => {
    const c5 = featuresOf('i3d-resnet18', [frames, ...frame], clip, (variables) =>
      inflate(weights, variables),
    );
    const size = c5.length / frames;
    return Array.from({ length: frames }, (_, at) => c5.subarray(at * size, (at + 1) * size));
  };
  const repeated = () => {
    const clip = new Float32Array(frames * image.length);
    for (let at = 0; at < frames; at++) clip.set(image, at * image.length);
    return clip;
  };

  test('says of a frame that stands still what ResNet-18 says of the image, where no kernel reaches the ends', () => {
    const expected = featuresOf('resnet18', frame, image, formulaValues, unpadded);
    assert.ok(Math.max(...expected) > 0.1);
    const clip = ofClip(repeated());
    assertNear(clip[middle], expected, 2e-5, 'features');
    // One frame beside it the first convolution sees the padding.
    assert.throws(() => assertNear(clip[middle - 1], expected, 2e-5, 'features'));
  });

  test('and something else when the clip’s last frame is another one', () => {
    const expected = featuresOf('resnet18', frame, image, formulaValues, unpadded);
    const clip = repeated();
    clip.set(formulaValue('images1', [1, ...frame]).data, (frames - 1) * image.length);
    assert.throws(() => assertNear(ofClip(clip)[middle], expected, 2e-5, 'features'));
  });
});

test('weights of images are refused with the way to inflate them, and taken with it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-inflate-'));
  try {
    const file = join(folder, 'resnet50.safetensors');
    const described = (name: string, shape: number[], classes: number) => {
      const config = parseConfig(`model: ${name}\nnormalizer: gn\ndata: cifar10\n`, { file: 'a.yaml' });
      return describeModel(createModel(config.model, classes), config.normalizer, { shape }).variables;
    };
    const images = formulaValues(described('resnet50', [64, 64, 3], 1000));
    writeSafetensors(file, images);
    const variables = described('i3d-resnet50', [8, 64, 64, 3], 400);
    assert.throws(
      () => readWeights(file, variables, { head: 'new' }),
      (error: unknown) => error instanceof UserError && /init\.inflate: true/.test(error.fix ?? ''),
    );
    const { values } = readWeights(file, variables, { head: 'new', inflate: true });
    const [stem, stem2d] = [values['stem.conv.weight'], images['stem.conv.weight']];
    assert.deepEqual(stem.shape, [5, 7, 7, 3, 64]);
    for (const time of [0, 4]) {
      const slice = stem.data.subarray(time * stem2d.data.length, (time + 1) * stem2d.data.length);
      assert.deepEqual(
        slice,
        stem2d.data.map((weight) => weight / 5),
      );
    }
    assert.deepEqual(Object.keys(values).length, variables.length - 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
