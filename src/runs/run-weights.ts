/** The weights that a run is evaluated with, from its newest whole checkpoint. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../config/load.js';
import type { VariableValue } from '../engine/program.js';
import { UserError } from '../errors.js';
import { encodeSafetensors } from '../weights/safetensors.js';
import { describeWeights } from '../weights/weights-metadata.js';
import { loadCheckpoint } from './checkpoint/checkpoint.js';
import { averageOf, sumOf, velocityOf } from './optimizer-slots.js';
import { endedSummary, summaryOf } from './summary.js';

export interface RunWeights {
  /**
   * Parameters and running statistics, without the optimizer's slots; running averages of both where the run has them.
   */
  values: Record<string, VariableValue>;
  /** Steps done. */
  step: number;
  /** A description of the weights; see `describeWeights`. */
  metadata: Record<string, string>;
  /** The checksum of the checkpoint's tensors. */
  sha256: string;
}

/**
 * @param folder a run's
 * @param warn hears of each damaged checkpoint that was passed over
 * @throws UserError when there is none (exit code 2), or when none is whole (1)
 */
export function readRunWeights(folder: string, warn: (message: string) => void): RunWeights {
  const file = join(folder, 'config.yaml');
  const config = existsSync(file) ? parseConfig(readFileSync(file, 'utf8'), { file }) : undefined;
  const checkpoint = loadCheckpoint(join(folder, 'checkpoints'), warn);
  if (!checkpoint) {
    if (!config) {
      throw new UserError('the folder holds no run', {
        place: folder,
        fix: 'name the folder of a run, or a .safetensors file',
      });
    }
    // A repository has the records of runs, and no weights.
    const ended = endedSummary(folder) !== undefined;
    throw new UserError(ended ? 'the run has no checkpoint here' : 'the run has no checkpoint yet', {
      place: folder,
      fix: ended
        ? `train it again: gnbench run ${file} --out DIR`
        : `go on with it: gnbench run ${file} --out ${folder} --resume`,
    });
  }
  const { tensors, step } = checkpoint;
  const hash = createHash('sha256');
  for (const part of encodeSafetensors(tensors)) hash.update(part);
  const names = Object.keys(tensors);
  const slots = new Set(names.flatMap((name) => [velocityOf(name), sumOf(name), averageOf(name)]));
  const averaged = names.some((name) => Object.hasOwn(tensors, averageOf(name)));
  const values = Object.fromEntries(
    names
      .filter((name) => !slots.has(name))
      .map((name) => [name, tensors[averaged ? averageOf(name) : name]] as const),
  );
  const classNames = summaryOf(folder)?.dataset.classNames;
  const facts = { step, averaged, classes: values['head.bias']?.shape[0] ?? classNames?.length, classNames };
  const metadata = config ? describeWeights(config, facts) : { step: String(step) };
  return { values, step, metadata, sha256: hash.digest('hex') };
}
