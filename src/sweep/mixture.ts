/**
 * Runs of one cell are compared as if chance alone told them apart, so they compute their convolutions alike. The kind
 * has no part in a cell's id, since only rounding tells the two apart: a cell that would mix them is refused instead.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { UserError } from '../errors.js';
import type { Experiment, Run } from '../experiments/experiment.js';
import { finalResult } from './attempts.js';

/** @throws UserError when a run that is left to do would compute its convolutions otherwise than its cell's others */
export function refuseMixture({ runs, file }: Experiment): void {
  for (const run of runs) {
    if (finalResult(run)) continue;
    const planned = run.cell.config.engine.convolutions;
    const begun = convolutionsOf(run.folder);
    const others = begun === undefined ? runsBeside(run) : [run.folder];
    const other = others.find((folder) => (convolutionsOf(folder) ?? planned) !== planned);
    if (other === undefined) continue;
    throw new UserError(
      `asks for ${planned} convolutions, and ${join(other, 'config.yaml')} has ${convolutionsOf(other)} ones, of the same cell`,
      {
        place: file,
        fix: `set engine.convolutions to ${convolutionsOf(other)}, or say --mixed-convolutions: tables mark such runs`,
      },
    );
  }
}

/** The kind of convolutions that the run in the folder was begun with; undefined when it has not begun. */
export function convolutionsOf(folder: string): string | undefined {
  try {
    const config = parse(readFileSync(join(folder, 'config.yaml'), 'utf8'));
    return config?.engine?.convolutions ?? 'direct';
  } catch {
    return undefined;
  }
}

/** The folders of the cell's other seeds, the experiment's or not. */
function runsBeside({ folder }: Run): string[] {
  const cell = dirname(folder);
  try {
    return readdirSync(cell)
      .filter((name) => /^\d+$/.test(name))
      .map((name) => join(cell, name));
  } catch {
    return [];
  }
}
