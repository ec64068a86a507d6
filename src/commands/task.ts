import { UserError } from '../errors.js';
import { gnbenchRun } from '../sweep/local/child.js';
import { slurmTask } from '../sweep/slurm/task.js';

/**
 * `gnbench task LIST INDEX`: what a Slurm job does in place of its batch script; not for people. @returns the exit
 * code
 */
export async function task(list: string, index: string): Promise<number> {
  if (!/^\d+$/.test(index)) throw new UserError(`no such task: ${JSON.stringify(index)}`, { place: list });
  return slurmTask(list, Number(index), gnbenchRun);
}
