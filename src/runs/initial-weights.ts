/** The variables of a run before its first step: drawn by the seed, or read from the file of `init.weights`. */
import { existsSync } from 'node:fs';
import { join, normalize, sep } from 'node:path';
import type { Config } from '../config/schema.js';
import type { VariableValue } from '../engine/program.js';
import { UserError } from '../errors.js';
import { initialize } from '../nn/initialize.js';
import type { Variable } from '../nn/variable.js';
import { listUpTo } from '../terminal/words.js';
import {
  backboneDifferences,
  differencesShapesDoNotShow,
  otherClasses,
  otherPixels,
} from '../weights/weights-metadata.js';
import { readRunFacts } from './environment.js';
import { summaryOf } from './summary.js';
import { readWeights } from './weights.js';

export interface InitialWeights {
  values: Record<string, VariableValue>;
  /** The checksum of the weights that were read. */
  sha256?: string;
}

/** The file or folder that a run with this seed begins with: `{seed}` in `init.weights` stands for it. */
export const weightsOf = ({ weights }: NonNullable<Config['init']>, seed: number): string =>
  weights.replaceAll('{seed}', String(seed));

/**
 * @param note hears in what the network that the weights were trained in was another one
 * @throws UserError for weights that are not there, or not the model's
 */
export function initialWeights(
  { init, seed, ...config }: Config,
  variables: Variable[],
  note: (message: string) => void,
  classNames?: readonly string[],
): InitialWeights {
  const drawn = initialize(variables, seed);
  if (!init) return { values: drawn };
  const file = weightsOf(init, seed);
  requireWeights(file);
  const { values, sha256, metadata } = readWeights(file, variables, {
    head: init.head,
    inflate: init.inflate,
    backbone: true,
    warn: note,
  });
  if (Object.keys(values).every((name) => name.startsWith('backbone.'))) {
    note("begins with a classifier's weights in its backbone; all else is drawn");
    for (const difference of backboneDifferences(metadata, config)) {
      note(`begins with the weights of a classifier with ${difference}`);
    }
    return { values: { ...drawn, ...values }, sha256 };
  }
  const pixels = init.inflate ? otherPixels(metadata, config.data.name) : undefined;
  if (pixels) note(`begins with weights that saw pixels standardized with ${pixels}`);
  const other = init.head === 'keep' ? otherClasses(metadata, classNames) : undefined;
  if (other) note(`warning: begins with the outputs of other classes: ${listUpTo(other.weights, 10)}`);
  for (const difference of differencesShapesDoNotShow(metadata, config)) {
    note(`begins with the weights of a network with ${difference}`);
  }
  return { values: { ...drawn, ...values }, sha256 };
}

/**
 * The same for a run that was begun before. Its checkpoint has all that it needs, so that the weights may be gone by
 * then; without a checkpoint it begins again, with the same weights.
 *
 * @param run.environment its `environment.json`, which has the weights' sha256
 * @throws UserError when the weights are no longer those that it began with
 */
export function initialWeightsAgain(
  config: Config,
  variables: Variable[],
  run: { environment: string; hasCheckpoint: boolean; note: (message: string) => void },
): InitialWeights {
  const recorded = config.init && readRunFacts(run.environment)?.initialWeights;
  if (run.hasCheckpoint) return { values: initialize(variables, config.seed), sha256: recorded };
  const weights = initialWeights(config, variables, run.note);
  if (recorded === undefined || recorded === weights.sha256) return weights;
  throw new UserError('these are no longer the weights that the run began with', {
    place: weightsOf(config.init!, config.seed),
    fix: 'put the former ones back, or start the run over with --force',
  });
}

/** @throws UserError for a run that is not through: half-trained weights would pass for pre-trained ones */
function requireWhole(folder: string): void {
  const summary = summaryOf(folder);
  if (summary?.status === 'completed') return;
  const { done = 0, total } = summary?.steps ?? {};
  const state = { diverged: 'diverged', failed: 'failed' }[summary?.status as string] ?? 'is not complete';
  throw new UserError(`the run that the weights are of ${state}, at step ${done} of ${total ?? 'unknown'}`, {
    place: folder,
    fix: `go on with it: gnbench run ${join(folder, 'config.yaml')} --out ${folder} --resume; or take its weights as they are, with gnbench export ${folder}`,
  });
}

/**
 * Checks that the weights are there: no repository holds weights, so they may still have to be made.
 *
 * @throws UserError that names the experiment whose runs make them, if there is one
 */
export function requireWeights(file: string): void {
  const isRun = existsSync(join(file, 'config.yaml'));
  if (isRun ? existsSync(join(file, 'checkpoints')) : existsSync(file)) {
    if (isRun) requireWhole(file);
    return;
  }
  const [results, experiment] = normalize(file).split(sep);
  const source = join('experiments', `${experiment}.yaml`);
  const known = results === 'results' && existsSync(source);
  throw new UserError(isRun ? 'the run has no checkpoint here' : 'no weights file found', {
    place: file,
    fix: known
      ? `no repository holds weights; make them with gnbench sweep ${source}${isRun ? ' once the run’s folder is moved away' : ''}`
      : 'set init.weights to a .safetensors file or to the folder of a run, relative to the working folder',
  });
}
