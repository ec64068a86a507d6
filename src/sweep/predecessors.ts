import { resolve } from 'node:path';
import type { Run } from '../experiments/experiment.js';
import { weightsOf } from '../runs/initial-weights.js';

/**
 * For each run that begins with the weights of another one of the same sweep, that other one: pre-training and
 * fine-tuning are one command, in their order.
 */
export function predecessorsOf(runs: readonly Run[]): ReadonlyMap<Run, Run> {
  const byFolder = new Map(runs.map((run) => [resolve(run.folder), run]));
  const predecessors = new Map<Run, Run>();
  for (const run of runs) {
    const { init } = run.cell.config;
    const predecessor = init && byFolder.get(resolve(weightsOf(init, run.seed)));
    if (predecessor && predecessor !== run) predecessors.set(run, predecessor);
  }
  return predecessors;
}
