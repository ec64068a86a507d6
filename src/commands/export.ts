import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { neighbour } from '../config/load.js';
import type { VariableValue } from '../engine/program.js';
import { UserError } from '../errors.js';
import { readCurves } from '../runs/curves.js';
import { readRunWeights } from '../runs/run-weights.js';
import { valKey } from '../runs/summary.js';
import { exportedModel } from '../weights/published-models.js';
import type { WeightsLibrary } from '../weights/published-names.js';
import { toPublished } from '../weights/published-weights.js';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.js';

export interface ExportFlags {
  out?: string;
  to: 'gnbench' | WeightsLibrary;
  force?: boolean;
}

/**
 * `gnbench export RUN`: writes the weights of the run's newest checkpoint, as one safetensors file that says what they
 * are; a file that was exported or imported may take the run's place. Prints the path. @returns the exit code
 */
export async function exportWeights(source: string, flags: ExportFlags): Promise<number> {
  if (!existsSync(source)) {
    const near = await neighbour(source);
    throw new UserError(`no such run or file${near ? `; did you mean ${near}?` : ''}`, {
      place: source,
      fix: 'name the folder of a run, or a .safetensors file',
    });
  }
  const { values, metadata } = isFolder(source) ? await ofRun(source) : ofFile(source);
  const out = flags.out ?? defaultOut(source, flags.to);
  if (flags.to === 'gnbench') {
    writeSafetensors(out, values, { metadata, replace: flags.force });
  } else {
    const model = exportedModel(metadata, flags.to, source);
    const tensors = toPublished(values, { library: flags.to, model }, stepsOf(metadata));
    // PyTorch's own writers mark their files with `format: pt`; some readers require it.
    writeSafetensors(out, tensors, { metadata: { ...metadata, format: 'pt' }, replace: flags.force });
  }
  process.stdout.write(`${out}\n`);
  return 0;
}

interface Weights {
  values: Record<string, VariableValue>;
  metadata: Record<string, string>;
}

async function ofRun(folder: string): Promise<Weights> {
  const warn = (message: string) => process.stderr.write(`warning: ${message}\n`);
  const { values, metadata, step } = readRunWeights(folder, warn);
  const curves = join(folder, 'curves.csv');
  const rows = existsSync(curves) ? readCurves(curves) : [];
  const row = rows.find((each) => each.step === step);
  // In mid-epoch there is no row of this step: the epoch is the one that had begun.
  const epoch = row?.epoch ?? rows.filter((each) => each.step < step).length + 1;
  const about: Record<string, string> = { ...metadata, epoch: String(epoch) };
  for (const [column, value] of Object.entries(row ?? {})) {
    const name = /^val_(?!loss$)(.+)$/.exec(column)?.[1];
    if (name !== undefined) about[valKey(name)] = String(value);
  }
  return { values, metadata: about };
}

function ofFile(file: string): Weights {
  const { tensors, metadata } = readSafetensors(file);
  return { values: tensors, metadata };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The number of steps behind the weights; 0 for imported ones. */
function stepsOf({ step }: Record<string, string>): number {
  return Number.isSafeInteger(Number(step)) ? Number(step) : 0;
}

/** In the run's folder, or beside the file. */
function defaultOut(source: string, to: ExportFlags['to']): string {
  const suffix = to === 'gnbench' ? '' : `.${to}`;
  if (isFolder(source)) return join(source, `weights${suffix}.safetensors`);
  return join(dirname(source), `${basename(source, '.safetensors')}${suffix}.safetensors`);
}
