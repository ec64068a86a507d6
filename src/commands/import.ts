import { basename, dirname, join } from 'node:path';
import { parseConfig } from '../config/load.js';
import { didYouMean, UserError } from '../errors.js';
import { createModel } from '../models/index.js';
import { describeModel } from '../nn/shape-net.js';
import { type Library, publishedHeadBias, publishedModels } from '../weights/published-names.js';
import { fromPublished, publishedDifferences } from '../weights/published-weights.js';
import { readSafetensors, type Safetensors, writeSafetensors } from '../weights/safetensors.js';
import { describeArchitecture } from '../weights/weights-metadata.js';

export interface ImportFlags {
  from: Library;
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
  const read = readSafetensors(file);
  const name = flags.model === undefined ? guess(read, flags.from, file) : known(flags.model);
  const { architecture, variables, classes } = published(name, flags.from, read);
  const values = fromPublished(
    read.tensors,
    variables,
    { library: flags.from, model: architecture.model.name },
    file,
  );
  const out = flags.out ?? join(dirname(file), `${basename(file, '.safetensors')}.gnbench.safetensors`);
  const metadata = {
    ...describeArchitecture(architecture, classes),
    source: `${flags.from} ${name}`,
    sourceSha256: read.sha256,
  };
  writeSafetensors(out, values, { metadata, replace: flags.force });
  process.stdout.write(`${out}\n`);
  return 0;
}

/** The model that the library calls so, with as many classes as the file's classifier. */
function published(name: string, library: Library, { tensors }: Pick<Safetensors, 'tensors'>) {
  const { model: modelName, normalizer } = publishedModels[name];
  const text = `model: ${modelName}\nnormalizer: ${normalizer}\ndata: image-folder\n`;
  const architecture = parseConfig(text, { file: name });
  const bias = publishedHeadBias(library, modelName);
  const classes = (Object.hasOwn(tensors, bias) && tensors[bias].shape[0]) || 1000;
  const model = createModel(architecture.model, classes);
  const { variables } = describeModel(model, architecture.normalizer, { shape: [224, 224, 3] });
  return { architecture, variables, classes };
}

function known(name: string): string {
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

/** The one model whose names and shapes are the file's. */
function guess(read: Safetensors, library: Library, place: string): string {
  const names = Object.keys(publishedModels);
  const fitting = names.find((name) => {
    const { architecture, variables } = published(name, library, read);
    const where = { library, model: architecture.model.name };
    return publishedDifferences(read.tensors, variables, where).text === '';
  });
  if (fitting !== undefined) return fitting;
  throw new UserError(`the tensors are those of none of ${library}'s models that are known here`, {
    place,
    fix: `name the model with --model to hear what differs: ${names.join(', ')}`,
  });
}
