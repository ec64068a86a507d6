import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../../errors.js';
import type { StartableRun } from '../../experiments/experiment.js';
import { readAttempts } from '../attempts.js';
import { openDisplay } from '../display.js';
import type { RunCommand } from '../local/child.js';
import { sweepLocally } from '../local/local.js';
import { thisMachine } from '../local/share.js';
import { type SlurmTask, slurmWords, taskSchema } from './slurm.js';

/** The last one who had the run may still be saving; and on another node the dead count as alive for two minutes. */
const orphansLife = 150_000;

/** So many tries that got no further are a time limit that is too short, and no bad luck. */
const mostIdleTries = 3;

/**
 * One task of a job array: does its run as a sweep of one. When Slurm warns of the time limit the run saves, and the
 * task asks to be queued again.
 *
 * @returns the exit code: 0 done, or somebody else has it; 1 failed; 75 queued again
 */
export async function slurmTask(list: string, index: number, command: RunCommand): Promise<number> {
  const task = readTask(list, index);
  const run: StartableRun = {
    cell: { key: task.cell, label: task.label },
    seed: task.seed,
    folder: task.folder,
  };
  const { outcomes, stopped } = await sweepLocally([run], {
    jobs: 1,
    machine: thisMachine(),
    command,
    configOf: () => task.config,
    flags: task.flags,
    failFast: false,
    patience: orphansLife,
    display: openDisplay({ runs: [run], cost: () => 1, doneBefore: () => 0 }),
  });
  const outcome = outcomes.get(run);
  if (stopped === 75 && outcome?.kind !== 'completed') requeue(run);
  if (stopped !== undefined) return stopped;
  return outcome === undefined || outcome.kind === 'completed' ? 0 : 1;
}

function readTask(list: string, index: number): SlurmTask {
  let tasks: SlurmTask[];
  try {
    tasks = z.array(taskSchema).parse(JSON.parse(readFileSync(list, 'utf8')));
  } catch (error) {
    throw new UserError('is not a list of tasks', {
      place: list,
      fix: 'submit the sweep again',
      cause: error,
    });
  }
  const task = tasks[index];
  if (task === undefined) {
    throw new UserError(`has no task ${index}`, { place: list, fix: `0 to ${tasks.length - 1}` });
  }
  return task;
}

function requeue(run: StartableRun): void {
  const tries = readAttempts(run.folder).slice(-mostIdleTries);
  const idle =
    tries.length === mostIdleTries &&
    tries.every(({ outcome, step }) => outcome === 'interrupted' && step === tries[0].step);
  if (idle) {
    process.stderr.write(
      `not queued again: ${mostIdleTries} tries ended at step ${tries[0].step}; it needs a longer time limit\n`,
    );
    return;
  }
  const { SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID } = process.env;
  if (!SLURM_ARRAY_JOB_ID || !SLURM_ARRAY_TASK_ID) return;
  try {
    execFileSync('scontrol', ['requeue', `${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}`], { stdio: 'pipe' });
  } catch (error) {
    process.stderr.write(`could not be queued again (${slurmWords(error)}); the next sweep submits it\n`);
  }
}
