/** The weights that a network is to begin or to be evaluated with, held against what it needs. */
import { statSync } from 'node:fs';
import type { VariableValue } from '../engine/program.js';
import { UserError } from '../errors.js';
import type { Variable } from '../nn/variable.js';
import { fileError } from '../storage/system-errors.js';
import { inflate } from '../weights/inflate.js';
import { readSafetensors } from '../weights/safetensors.js';
import { type TensorDifferences, tensorDifferences } from '../weights/tensor-differences.js';
import { unwrap, wrapperOf } from '../weights/wrapped-names.js';
import { readRunWeights } from './run-weights.js';

export interface LoadedWeights {
  /** By the variables' names; those that `head: 'new'` leaves out are not there. */
  values: Record<string, VariableValue>;
  /** The checksum of the file; for a run, of its checkpoint's tensors. */
  sha256: string;
  /** The metadata of the file, or of the run; see `describeWeights`. */
  metadata: Record<string, string>;
}

/** Variables of the layers that predict classes, which another number of classes needs anew. */
const inHead = (name: string) => /^(head|boxHead\.(logits|shifts)|maskHead\.masks)\./.test(name);

const isOfDetector = (names: readonly string[]) => names.some((name) => name.startsWith('backbone.'));

/** The values of a classifier under the names that they have in a detector's backbone. */
const asBackbone = (values: Record<string, VariableValue>): Record<string, VariableValue> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (inHead(name) ? [] : [[`backbone.${name}`, value]])),
  );

/**
 * Reads `file` (safetensors in gnbench's own names and layouts, or a run's folder: the weights of its newest whole
 * checkpoint, running averages where it has them) for `variables`.
 *
 * @param options.inflate true to take the weights of a network over images for one over clips
 * @param options.backbone true where a classifier's weights will do for a detector: they are its backbone's, and all
 *   else is left out
 * @param options.head `new` leaves out the variables of the classifier, whatever the file holds of them
 * @param options.warn hears of each damaged checkpoint that was passed over
 * @throws UserError (exit code 2) that lists all missing, extra and misshapen tensors at once
 */
export function readWeights(
  file: string,
  variables: Variable[],
  options: { head: 'keep' | 'new'; inflate?: boolean; backbone?: boolean; warn?: (message: string) => void },
): LoadedWeights {
  const { values, sha256, metadata } = isFolder(file) ? ofRun(file, options) : ofFile(file);
  const read = options.inflate ? inflate(values, variables) : values;
  const isBackbone =
    options.backbone === true &&
    isOfDetector(variables.map(({ name }) => name)) &&
    Object.hasOwn(read, 'stem.conv.weight');
  const found = isBackbone ? asBackbone(read) : read;
  const wanted = variables.filter(({ name }) =>
    isBackbone ? name.startsWith('backbone.') : options.head === 'keep' || !inHead(name),
  );
  const differences = tensorDifferences(found, wanted, options.head === 'new' ? inHead : undefined);
  if (differences.text) {
    throw new UserError(`the weights are not the model's; ${differences.text}`, {
      place: file,
      fix: fixFor(found, wanted, differences),
    });
  }
  return { values: Object.fromEntries(wanted.map(({ name }) => [name, found[name]])), sha256, metadata };
}

function isFolder(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch (error) {
    throw fileError(error, 'could not read the weights', file, { exitCode: 2 });
  }
}

function ofRun(folder: string, { warn = () => {} }: { warn?: (message: string) => void }): LoadedWeights {
  const { values, sha256, metadata } = readRunWeights(folder, warn);
  return { values, sha256, metadata };
}

function ofFile(file: string): LoadedWeights {
  const { tensors, metadata, sha256 } = readSafetensors(file);
  return { values: tensors, sha256, metadata };
}

/** The likeliest reason first: another library's names, then another number of classes, then another model. */
function fixFor(
  found: Record<string, VariableValue>,
  wanted: readonly Variable[],
  { missing, misshapen, extra }: TensorDifferences,
): string {
  const wrapped = wrapperOf(Object.keys(found));
  if (wrapped) return unwrap(wrapped);
  const ours = ['stem.conv.weight', 'stage1.conv1.weight', 'backbone.stem.conv.weight'];
  if (!ours.some((name) => Object.hasOwn(found, name))) {
    return "weights in another library's names come through: gnbench import FILE --from torchvision|timm";
  }
  if ([...missing, ...misshapen, ...extra].every(inHead)) {
    return 'the number of classes differs: take weights and data of the same classes, or begin with a new head (init.head: new)';
  }
  const stem = wanted.find(({ name }) => name === 'stem.conv.weight');
  if (stem && stem.shape.length > (found['stem.conv.weight']?.shape.length ?? 5)) {
    return 'they are of a network over images: inflate them with init.inflate: true';
  }
  return 'take the model and normalizer that the weights were trained with';
}
