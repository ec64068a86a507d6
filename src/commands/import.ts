import { basename, dirname, join } from 'node:path';
import { pixelStatistics } from '../datasets/pixel-statistics.js';
import { withPresentNames } from '../weights/detector-names.js';
import { knownModel, modelWithTensors, publishedModel } from '../weights/published-models.js';
import type { WeightsLibrary } from '../weights/published-names.js';
import { fromPublished } from '../weights/published-weights.js';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.js';
import { describeArchitecture } from '../weights/weights-metadata.js';

export interface ImportFlags {
  from: WeightsLibrary;
  /** The library's name of the model; without it, the model that the tensors fit. */
  model?: string;
  out?: string;
  force?: boolean;
}

/**
 * `gnbench import FILE`: writes weights of torchvision or timm as gnbench's own. Prints the path. @returns the exit
 * code
 */
export async function importWeights(file: string, flags: ImportFlags): Promise<number> {
  const found = readSafetensors(file);
  const read = { ...found, tensors: withPresentNames(found.tensors) };
  const name = flags.model === undefined ? modelWithTensors(read, flags.from, file) : knownModel(flags.model);
  const { architecture, variables, classes } = publishedModel(name, flags.from, read);
  const values = fromPublished(
    read.tensors,
    variables,
    { library: flags.from, model: architecture.model.name },
    file,
  );
  const out = flags.out ?? join(dirname(file), `${basename(file, '.safetensors')}.gnbench.safetensors`);
  // Both libraries standardize images as ImageNet's.
  const { mean, std } = pixelStatistics('image-folder');
  const metadata = {
    ...describeArchitecture(architecture, classes),
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
    source: `${flags.from} ${name}`,
    sourceSha256: read.sha256,
  };
  writeSafetensors(out, values, { metadata, replace: flags.force });
  process.stdout.write(`${out}\n`);
  return 0;
}
