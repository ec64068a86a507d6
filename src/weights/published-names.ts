/** The published models whose weights come in and go out, and what torchvision and timm call gnbench's variables. */
import type { Config } from '../config/schema.js';
import { vggStages } from '../models/vgg.js';
import { detectorHeadBias, detectorLayer } from './detector-names.js';

export const libraries = ['torchvision', 'timm'] as const;
export type WeightsLibrary = (typeof libraries)[number];

const frozenBackbone = '{ name: none, parts: { backbone: { name: frozen-batch } } }';

/** True for torchvision's detectors; timm has none. */
export const isPublishedDetector = (model: string): boolean =>
  model === 'mask-rcnn' || model === 'faster-rcnn';

/**
 * The libraries' names of models → what a configuration calls model and normalizer. GN has 32 groups, as in the paper.
 */
export const publishedModels: Record<string, { model: Config['model']['name']; normalizer: string }> = {
  resnet18: { model: 'resnet18', normalizer: 'batch' },
  resnet34: { model: 'resnet34', normalizer: 'batch' },
  resnet50: { model: 'resnet50', normalizer: 'batch' },
  resnet101: { model: 'resnet101', normalizer: 'batch' },
  resnet152: { model: 'resnet152', normalizer: 'batch' },
  resnet50_gn: { model: 'resnet50', normalizer: 'group' },
  vgg16: { model: 'vgg16', normalizer: 'none' },
  vgg16_bn: { model: 'vgg16', normalizer: 'batch' },
  maskrcnn_resnet50_fpn: { model: 'mask-rcnn', normalizer: frozenBackbone },
  fasterrcnn_resnet50_fpn: { model: 'faster-rcnn', normalizer: frozenBackbone },
};

/** PyTorch's names of a layer's variables: GN's have the same names as BN's. */
const leaves: Record<string, string> = {
  weight: 'weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  mean: 'running_mean',
  variance: 'running_var',
};

/** Layers of a ResNet; the libraries agree on them. */
const resnetLayers: [ours: RegExp, theirs: string][] = [
  [/^stem\.conv$/, 'conv1'],
  [/^stem\.norm$/, 'bn1'],
  [/^stage(\d)\.block(\d+)\.conv(\d)$/, 'layer$1.$2.conv$3'],
  [/^stage(\d)\.block(\d+)\.norm(\d)$/, 'layer$1.$2.bn$3'],
  [/^stage(\d)\.block(\d+)\.shortcut\.conv$/, 'layer$1.$2.downsample.0'],
  [/^stage(\d)\.block(\d+)\.shortcut\.norm$/, 'layer$1.$2.downsample.1'],
  [/^head$/, 'fc'],
];

const vggHeads: Record<WeightsLibrary, Record<string, string>> = {
  torchvision: { fc1: 'classifier.0', fc2: 'classifier.3', head: 'classifier.6' },
  timm: { fc1: 'pre_logits.fc1', fc2: 'pre_logits.fc2', head: 'head.fc' },
};

/** The name of the classifier's bias, whose length is the number of classes. */
export const publishedHeadBias = (library: WeightsLibrary, model: string): string =>
  isPublishedDetector(model)
    ? detectorHeadBias
    : model === 'vgg16'
      ? `${vggHeads[library].head}.bias`
      : 'fc.bias';

/** True when the libraries have a model of this architecture, perhaps with another normalizer. */
export const isPublished = (model: string): boolean =>
  model === 'resnet18-cifar' || Object.values(publishedModels).some((published) => published.model === model);

/**
 * The name in `library` of the variable `name` of a `model` for which `isPublished`; undefined for one that it does
 * not have, such as the threshold of filter response normalization.
 *
 * @param normalized true when normalizers have variables: VGG's layers are numbered through
 * @param convolved true when a detector's box head has convolutions
 */
export function publishedName(
  name: string,
  {
    library,
    model,
    normalized,
    convolved = false,
  }: { library: WeightsLibrary; model: string; normalized: boolean; convolved?: boolean },
): string | undefined {
  const dot = name.lastIndexOf('.');
  const layer = name.slice(0, dot);
  const leaf = own(leaves, name.slice(dot + 1));
  const theirs = isPublishedDetector(model)
    ? detectorLayer(layer, convolved, resnetLayer)
    : model === 'vgg16'
      ? vggLayer(layer, library, normalized)
      : resnetLayer(layer);
  return leaf && theirs && `${theirs}.${leaf}`;
}

function resnetLayer(layer: string): string | undefined {
  const found = resnetLayers.find(([ours]) => ours.test(layer));
  return found && layer.replace(...found);
}

function vggLayer(layer: string, library: WeightsLibrary, normalized: boolean): string | undefined {
  const [, stage, kind, index] = /^stage(\d)\.(conv|norm)(\d)$/.exec(layer) ?? [];
  if (stage === undefined) return own(vggHeads[library], layer);
  const before = vggStages.slice(0, Number(stage) - 1);
  const convolutions = before.flat().length + Number(index) - 1;
  // Behind each convolution a normalizer (or none) and a ReLU, behind each stage a max-pool.
  const number = convolutions * (normalized ? 3 : 2) + before.length;
  return `features.${kind === 'conv' ? number : number + 1}`;
}

/** Names come from files: `constructor` is none of the table's. */
const own = (table: Record<string, string>, key: string): string | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;
