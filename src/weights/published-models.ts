/** The models of torchvision and timm: which one a file holds, and whether a library would compute the same as gnbench. */
import { parseConfig } from '../config/load.js';
import { didYouMean, UserError } from '../errors.js';
import { describeModel } from '../models/describe.js';
import type { DetectorConfig } from '../models/detection/settings.js';
import { createModel } from '../models/index.js';
import { pooledSide } from './published-layouts.js';
import {
  isPublished,
  isPublishedDetector,
  publishedHeadBias,
  publishedModels,
  type WeightsLibrary,
} from './published-names.js';
import { publishedDifferences } from './published-weights.js';
import type { Safetensors } from './safetensors.js';
import { type Architecture, architectureOf } from './weights-metadata.js';
import { unwrap, wrapperOf } from './wrapped-names.js';

/** The library's model of this name, with as many classes as the file's classifier. */
export function publishedModel(
  name: string,
  library: WeightsLibrary,
  { tensors }: Pick<Safetensors, 'tensors'>,
) {
  const { model: modelName, normalizer } = publishedModels[name];
  const detects = isPublishedDetector(modelName);
  const data = detects ? `coco\ninit: { weights: ${name} }` : 'image-folder';
  const text = `model: ${modelName}\nnormalizer: ${normalizer}\ndata: ${data}\n`;
  const architecture = parseConfig(text, { file: name });
  const bias = publishedHeadBias(library, modelName);
  const outputs = (Object.hasOwn(tensors, bias) && tensors[bias].shape[0]) || 1000;
  const classes = detects ? Math.max(1, outputs - 1) : outputs; // background is none
  const model = createModel(architecture.model, classes);
  const { variables } = describeModel(model, architecture.normalizer, { shape: [224, 224, 3] });
  return { architecture, variables, classes };
}

/** @throws {UserError} with the nearest name, unless the libraries have a model of this name */
export function knownModel(name: string): string {
  if (Object.hasOwn(publishedModels, name)) return name;
  const names = Object.keys(publishedModels);
  const near = didYouMean(name, names);
  throw new UserError(
    `no published model is called ${JSON.stringify(name)}${near ? `; did you mean ${near}?` : ''}`,
    {
      place: '--model',
      fix: `one of ${names.join(', ')}`,
    },
  );
}

/**
 * The published model whose names and shapes of tensors are the file's.
 *
 * @throws {UserError} when there is none
 */
export function modelWithTensors(read: Safetensors, library: WeightsLibrary, place: string): string {
  const names = Object.keys(publishedModels);
  const fitting = names.find((name) => {
    const { architecture, variables } = publishedModel(name, library, read);
    const source = { library, model: architecture.model.name };
    return publishedDifferences(read.tensors, variables, source).text === '';
  });
  if (fitting !== undefined) return fitting;
  const wrapped = wrapperOf(Object.keys(read.tensors));
  throw new UserError(`the tensors fit none of the models of ${library} that gnbench knows`, {
    place,
    fix: wrapped ? unwrap(wrapped) : `name the model with --model to see what differs: ${names.join(', ')}`,
  });
}

/**
 * The name of the model that weights belong to.
 *
 * @throws {UserError} when the metadata do not name it, or `library` would compute something else with the weights
 */
export function exportedModel(
  metadata: Record<string, string>,
  library: WeightsLibrary,
  place: string,
): string {
  const architecture = architectureOf(metadata);
  if (!architecture) {
    throw new UserError('the file has no model metadata', {
      place,
      fix: 'use a file that gnbench import or gnbench export wrote, or the folder of a run',
    });
  }
  const { model } = architecture;
  // A model that the library has not is refused by `toPublished`, whatever its parts.
  const differs = isPublished(model.name) && whatLibraryHas(architecture, library);
  if (differs) {
    throw new UserError(`${library}'s ${model.name} has ${differs}: it would compute something else`, {
      place,
      fix: 'export it with --to gnbench',
    });
  }
  return model.name;
}

/** The parts that `library` has in place of the network's, and that names and shapes of tensors do not show. */
function whatLibraryHas({ model, normalizer }: Architecture, library: WeightsLibrary): string | undefined {
  if (isPublishedDetector(model.name)) return whatDetectorHas({ model, normalizer }, library);
  const { strideIn1x1 } = model as { strideIn1x1?: boolean };
  if (strideIn1x1) return 'the stride in the 3×3 convolutions (model.strideIn1x1: false)';
  const all = [normalizer, ...Object.values(normalizer.parts ?? {})];
  return all.map((each) => whatNormalizerHas(each as LibraryNormalizer, library)).find(Boolean);
}

interface LibraryNormalizer {
  name: string;
  weightStandardization?: boolean;
  epsilon?: number;
  groups?: number;
  channelsPerGroup?: number;
}

function whatNormalizerHas(normalizer: LibraryNormalizer, library: WeightsLibrary): string | undefined {
  const { weightStandardization, epsilon, groups, channelsPerGroup } = normalizer;
  if (weightStandardization) return 'no weight standardization';
  // FRN's threshold is a variable that the libraries have no name for: it is refused there.
  if ((epsilon ?? 1e-5) !== 1e-5 && normalizer.name !== 'filter-response')
    return 'an ε of 1e-5 (normalizer.epsilon)';
  // torchvision has BN only, and whoever builds another there names it. timm's resnet50_gn would load these as its own.
  const others = ['layer', 'instance', 'weight-norm'].includes(normalizer.name);
  const otherGroups = (groups ?? 32) !== 32 || channelsPerGroup !== undefined;
  if (library === 'timm' && (others || (normalizer.name === 'group' && otherGroups)))
    return 'BN, or GN with 32 groups (normalizer.groups)';
  return undefined;
}

/** Square roots of areas on the pyramid's levels, and heights by widths, of torchvision's detectors. */
const anchorsOf = { sizes: [32, 64, 128, 256, 512], ratios: [0.5, 1, 2] };
const pooledMaskSide = 14;

/** The parts of torchvision's detectors that the network has otherwise; losses and limits are not the weights'. */
function whatDetectorHas({ model, normalizer }: Architecture, library: WeightsLibrary): string | undefined {
  if (library === 'timm') return 'no weights in timm, which has no detectors';
  const { neck, strideIn1x1, pooling, anchors } = model as Partial<DetectorConfig>;
  if (neck === 'c4') return 'a pyramid (model.neck: fpn)';
  if (strideIn1x1) return 'the stride in the 3×3 convolutions (model.strideIn1x1: false)';
  if (pooling && (pooling.box !== pooledSide || pooling.aligned || (pooling.sampling ?? 2) !== 2)) {
    return `features of ${pooledSide} × ${pooledSide} for the box head, two samples a bin, not aligned (model.pooling)`;
  }
  if (pooling && pooling.mask !== pooledMaskSide)
    return `features of ${pooledMaskSide} × ${pooledMaskSide} for the mask head (model.pooling.mask)`;
  const others = (['sizes', 'ratios'] as const).find(
    (key) => anchors && `${anchors[key]}` !== `${anchorsOf[key]}`,
  );
  if (others) return `anchors of the ${others} ${anchorsOf[others].join(', ')} (model.anchors.${others})`;
  if (anchors && !anchors.rounded) return 'anchors at whole pixels (model.anchors.rounded: true)';
  const all = [normalizer, ...Object.values(normalizer.parts ?? {})] as {
    epsilon?: number;
    weightStandardization?: boolean;
  }[];
  if (all.some(({ weightStandardization }) => weightStandardization)) return 'no weight standardization';
  if (all.some(({ epsilon }) => (epsilon ?? 1e-5) !== 1e-5)) return 'an ε of 1e-5 (normalizer.epsilon)';
  return undefined;
}
