import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { UserError } from '../../errors.js';
import type { Experiment, Run } from '../../experiments/experiment.js';
import type { SlurmResources } from '../../experiments/schema.js';
import { makeFolders, replaceFile } from '../../storage/files.js';
import { lockFolder } from '../../storage/lock.js';
import { fileError } from '../../storage/system-errors.js';
import { type Queue, readStatus } from '../status.js';
import { batchScript, checkTime, sbatchArguments } from './script.js';

const execute = promisify(execFile);

/** The work of one task of an array. Paths are absolute: the job may start anywhere. */
export const taskSchema = z.object({
  cell: z.string(),
  seed: z.int(),
  label: z.string(),
  config: z.string(),
  folder: z.string(),
  flags: z.array(z.string()),
});
export type SlurmTask = z.output<typeof taskSchema>;

const submissionSchema = z.object({ jobId: z.string().regex(/^\d+$/), folders: z.array(z.string()) });

export interface SubmitOptions {
  runs: readonly Run[];
  resources: SlurmResources;
  configOf(run: Run): string;
  flags: readonly string[];
  /** Jobs that make the weights that these runs begin with. */
  after?: readonly string[];
  /** The program that does a task, followed by the task list and the task's number. */
  taskCommand: readonly string[];
}

export interface Submission {
  jobId: string;
  runs: Run[];
}

/**
 * Submits what is neither finished nor in the queue yet, as one job array (more when there are more runs than the
 * cluster takes in one).
 *
 * @throws UserError without Slurm, and with its own words when it refuses the job (exit code 1)
 */
export async function submitToSlurm(experiment: Experiment, options: SubmitOptions): Promise<Submission[]> {
  checkTime(options.resources);
  await requireSlurm();
  const folder = join(resolve(experiment.folder), 'slurm');
  makeFolder(folder);
  // Two that submit at once would not see each other's jobs.
  const lock = await lockFolder(folder, 'submit.lock');
  try {
    const wanted = new Set(options.runs);
    const queue = await readQueue(experiment);
    const open = (await readStatus(experiment, queue))
      .filter(
        ({ run, pending, state }) => wanted.has(run) && pending && state !== 'queued' && state !== 'running',
      )
      .map(({ run }) => run);
    const most = await largestArray();
    const submissions: Submission[] = [];
    for (let first = 0; first < open.length; first += most) {
      submissions.push(await submitArray(experiment, open.slice(first, first + most), folder, options));
    }
    return submissions;
  } finally {
    await lock.release();
  }
}

async function submitArray(
  experiment: Experiment,
  runs: Run[],
  parent: string,
  options: SubmitOptions,
): Promise<Submission> {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const folder = join(parent, stamp);
  makeFolder(folder);
  const tasks = runs.map<SlurmTask>((run) => ({
    cell: run.cell.key,
    seed: run.seed,
    label: run.cell.label,
    config: resolve(options.configOf(run)),
    folder: resolve(run.folder),
    flags: [...options.flags],
  }));
  const [list, script] = [join(folder, 'tasks.json'), join(folder, 'job.sh')];
  write(list, `${JSON.stringify(tasks, null, 2)}\n`);
  write(script, batchScript([...options.taskCommand, list]));
  const job = {
    name: experiment.name,
    count: runs.length,
    folder: process.cwd(),
    logs: folder,
    script,
    after: options.after,
  };
  const jobId = await sbatch(sbatchArguments(options.resources, job));
  write(
    join(folder, 'submission.json'),
    `${JSON.stringify({ jobId, folders: tasks.map((task) => task.folder) }, null, 2)}\n`,
  );
  return { jobId, runs };
}

async function sbatch(args: string[]): Promise<string> {
  try {
    const { stdout } = await execute('sbatch', args);
    const jobId = /^(\d+)/.exec(stdout.trim())?.[1];
    if (jobId === undefined) throw new Error(`sbatch answered ${JSON.stringify(stdout.slice(0, 200))}`);
    return jobId;
  } catch (error) {
    throw new UserError(`Slurm refused the job: ${slurmWords(error)}`, {
      place: 'sbatch',
      fix: 'change the resources: the experiment’s "slurm" keys, or --slurm key=value',
      exitCode: 1,
      cause: error,
    });
  }
}

async function requireSlurm(): Promise<void> {
  try {
    await execute('sbatch', ['--version']);
  } catch (error) {
    throw new UserError('Slurm is not here: sbatch cannot be run', {
      place: '--launcher slurm',
      fix: 'start it on a login node of the cluster, or use --launcher local',
      cause: error,
    });
  }
}

/** How many tasks an array may have. */
async function largestArray(): Promise<number> {
  try {
    const { stdout } = await execute('scontrol', ['show', 'config']);
    return Math.max(1, Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(stdout)?.[1] ?? 1001) - 1);
  } catch {
    return 1000;
  }
}

const runningStates = new Set([
  'RUNNING',
  'COMPLETING',
  'CONFIGURING',
  'STAGE_OUT',
  'SUSPENDED',
  'SIGNALING',
]);

/** The experiment's runs in the cluster's queue; empty where there is no Slurm or nothing was submitted. */
export async function readQueue(experiment: Experiment): Promise<Queue> {
  const submissions = readSubmissions(join(experiment.folder, 'slurm'));
  const queue = new Map<string, { state: 'queued' | 'running'; jobId: string }>();
  if (submissions.size === 0) return queue;
  let text: string;
  try {
    ({ stdout: text } = await execute('squeue', ['--noheader', '--array', '--me', '--format=%F %K %T']));
  } catch {
    return queue;
  }
  for (const line of text.split('\n')) {
    const [jobId, index, state] = line.trim().split(/\s+/);
    const run = submissions.get(jobId)?.[Number(index)];
    if (run === undefined) continue;
    queue.set(resolve(run), { state: runningStates.has(state) ? 'running' : 'queued', jobId });
  }
  return queue;
}

/** Job number → the run folder of each task. */
function readSubmissions(folder: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const entry of entries(folder)) {
    try {
      const text = readFileSync(join(folder, entry, 'submission.json'), 'utf8');
      const { jobId, folders } = submissionSchema.parse(JSON.parse(text));
      found.set(jobId, folders);
    } catch {
      // Never submitted, or the process was killed on the way: a task that runs all the same finds its run by its lock.
    }
  }
  return found;
}

const entries = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** The message of a Slurm command, without its own name in front. */
export function slurmWords(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const words = stderr?.trim().split('\n').at(-1);
  return (words || message).replace(/^\w+: (error: )?/, '');
}

function makeFolder(folder: string): void {
  try {
    makeFolders(folder);
  } catch (error) {
    throw fileError(error, 'could not write to the results folder', folder, { exitCode: 2 });
  }
}

function write(file: string, text: string): void {
  try {
    replaceFile(file, text);
  } catch (error) {
    throw fileError(error, 'could not write to the results folder', file, { exitCode: 2 });
  }
}
