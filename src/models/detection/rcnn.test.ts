import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../config/load.js';
import { describeModel } from '../describe.js';
import { createModel } from '../index.js';

function describedAs(model: string, normalizer: string, classes: number, side = 512) {
  const text = `model: ${model}\nnormalizer: ${normalizer}\ndata: {name: shapes, side: ${side}}\ninit: {weights: pretrained.safetensors}\n`;
  const config = parseConfig(text, { file: 'test.yaml' });
  return describeModel(createModel(config.model, classes), config.normalizer, { shape: [side, side, 3] });
}

/** γ and β of frozen BN are constants and do not count, as in torchvision: 53,120 numbers in ResNet-50. */
const frozenBackbone = '{name: none, parts: {backbone: frozen-batch}}';
const trainedAffine = '{name: none, parts: {backbone: {name: frozen-batch, affine: trained}}}';

describe('the detectors have as many parameters as theirs', () => {
  for (const [what, model, normalizer, classes, parameters] of [
    ["torchvision's Mask R-CNN", 'mask-rcnn', frozenBackbone, 90, 44_401_393],
    ['with γ and β of frozen BN trained', 'mask-rcnn', trainedAffine, 90, 44_401_393 + 53_120],
    ["torchvision's Faster R-CNN", 'faster-rcnn', frozenBackbone, 90, 41_755_286],
    [
      'GN everywhere and 4conv1fc, of 90 classes',
      '{name: mask-rcnn, boxHead: 4conv1fc}',
      'group',
      90,
      45_769_329,
    ],
    [
      'GN everywhere and 4conv1fc, of 80 classes',
      '{name: mask-rcnn, boxHead: 4conv1fc}',
      'group',
      80,
      45_715_509,
    ],
  ] as const) {
    it(what, () => assert.equal(describedAs(model, normalizer, classes).parameters, parameters));
  }

  // Counted by hand without the background's box and mask, which the layout here has.
  it('C4 of 80 classes', () => {
    const { parameters } = describedAs('{name: mask-rcnn, neck: c4}', frozenBackbone, 80);
    const backgroundBox = 4 * (2048 + 1);
    const backgroundMask = 256 + 1;
    assert.equal(parameters, 35_962_732 - 53_120 + backgroundBox + backgroundMask);
  });
});

describe('the layers of a detector', () => {
  it('are normalized by part, and have a bias where they are not', () => {
    const { variables } = describedAs(
      '{name: mask-rcnn, backbone: resnet18, boxHead: 4conv1fc}',
      '{name: none, parts: {neck: group, boxHead: layer}}',
      3,
      64,
    );
    const names = variables.map(({ name }) => name);
    const ofLayer = (layer: string) =>
      names.filter((name) => name.startsWith(`${layer}.`) || name.startsWith(`${layer}Norm.`));
    assert.deepEqual(ofLayer('neck.lateral2'), [
      'neck.lateral2.weight',
      'neck.lateral2Norm.gamma',
      'neck.lateral2Norm.beta',
    ]);
    assert.deepEqual(ofLayer('boxHead.conv4'), [
      'boxHead.conv4.weight',
      'boxHead.conv4Norm.gamma',
      'boxHead.conv4Norm.beta',
    ]);
    assert.deepEqual(ofLayer('maskHead.conv4'), ['maskHead.conv4.weight', 'maskHead.conv4.bias']);
    // GN nowhere else: not on proposals, dense layers, the transposed convolution and the predictions.
    const normalized = names.filter((name) => name.endsWith('.gamma')).map((name) => name.split('.')[0]);
    assert.deepEqual([...new Set(normalized)], ['neck', 'boxHead']);
  });

  it('of proposals are shared by the maps; those of regions count for every region of an image', () => {
    const { layers, outputs, variables } = describedAs(
      '{name: mask-rcnn, backbone: resnet18}',
      'group',
      3,
      128,
    );
    const shared = layers.filter(({ name }) => name === 'proposals.conv');
    assert.deepEqual(
      shared.map(({ parameters }) => parameters > 0),
      [true, false, false, false, false],
    );
    assert.equal(new Set(variables.map(({ name }) => name)).size, variables.length);
    assert.deepEqual(outputs['p6.logits'], [2, 2, 3]);
    assert.deepEqual(outputs['p2.shifts'], [32, 32, 12]);
    const dense = layers.find(({ name }) => name === 'boxHead.fc1')!;
    assert.deepEqual(dense.outputShape, [512, 1024]);
    assert.equal(dense.flops, 512 * 7 * 7 * 256 * 1024);
    assert.deepEqual(layers.find(({ name }) => name === 'maskHead.masks')!.outputShape, [128, 28, 28, 4]);
  });
});

describe('a configuration that cannot be meant is refused', () => {
  for (const [what, text, message] of [
    [
      'frozen BN without weights',
      'model: mask-rcnn\nnormalizer: {name: none, parts: {backbone: frozen-batch}}\ndata: shapes\n',
      /pre-trained weights, and there is no init\.weights/,
    ],
    [
      'parts that stay at random values',
      'model: mask-rcnn\nnormalizer: group\ndata: shapes\noptimizer: {frozen: [backbone.stem, backbone.stage1]}\n',
      /keeps parts at random values, for there is no init\.weights/,
    ],
    [
      'too few sizes of anchors',
      'model: {name: mask-rcnn, anchors: {sizes: [8, 16]}}\nnormalizer: group\ndata: shapes\n',
      /2 sizes, and the pyramid's 5 levels one each/,
    ],
    [
      'precise statistics',
      'model: mask-rcnn\nnormalizer: batch\ndata: shapes\nevaluate: {statistics: precise}\n',
      /must be running/,
    ],
  ] as const) {
    it(what, () => assert.throws(() => parseConfig(text, { file: 'test.yaml' }), { message }));
  }

  it('and evaluates fewer images at once than a classifier', () => {
    const batchSize = (model: string) =>
      parseConfig(`model: ${model}\nnormalizer: group\ndata: shapes\n`, { file: 'test.yaml' }).evaluate
        .batchSize;
    assert.deepEqual(['faster-rcnn', 'resnet18'].map(batchSize), [4, 250]);
  });
});
