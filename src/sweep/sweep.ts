import { resolve } from 'node:path';
import { UserError } from '../errors.js';
import { byStage, type Experiment, type Run } from '../experiments/experiment.js';
import { cellConfigFile, snapshot } from '../experiments/snapshot.js';
import { openDisplay } from './display.js';
import { estimateRun } from './estimate.js';
import { gnbenchRun, type RunCommand } from './local/child.js';
import { sweepLocally } from './local/local.js';
import type { Machine } from './local/share.js';
import { predecessorsOf } from './predecessors.js';
import { countsText } from './report-status.js';
import { resourcesOf } from './slurm/resources.js';
import { readQueue, submitToSlurm } from './slurm/slurm.js';
import { readStatus } from './status.js';

export interface SweepPlan {
  experiments: readonly Experiment[];
  machine: Machine;
  jobs: number;
  failFast: boolean;
  quiet: boolean;
  /** Passed on to each run. */
  flags: readonly string[];
  /** `--data` */
  data?: string;
  command?: RunCommand;
  pollEvery?: number;
}

/**
 * Does what is left of the experiments on this machine, the runs of lower stages first.
 *
 * @returns the exit code: 0 all finished, 1 not all, 130, 143 or 75 when told to stop
 */
export async function sweepHere(plan: SweepPlan): Promise<number> {
  const { experiments, jobs, machine } = plan;
  const runs = byStage(experiments.flatMap((experiment) => experiment.runs));
  const experimentOf = new Map<Run, Experiment>(
    experiments.flatMap((experiment) => experiment.runs.map((run) => [run, experiment] as const)),
  );
  for (const experiment of experiments) await snapshot(experiment);
  const statuses = (await Promise.all(experiments.map((experiment) => readStatus(experiment)))).flat();
  const costs = new Map(
    runs.map((run) => [
      run,
      estimateRun(experimentOf.get(run)!, run.cell, { jobs, cores: machine.cores, data: plan.data }).seconds,
    ]),
  );
  const done = new Map(statuses.map(({ run, share }) => [run, share]));
  const predecessors = predecessorsOf(runs);
  const display = openDisplay<Run>({
    runs,
    cost: (run) => costs.get(run) ?? 1,
    doneBefore: (run) => done.get(run) ?? 0,
    quiet: plan.quiet,
  });
  display.note(`${runs.length} runs (${countsText(statuses)}), ${jobs} at a time`);
  try {
    const { outcomes, stopped } = await sweepLocally(runs, {
      jobs,
      machine,
      command: plan.command ?? gnbenchRun,
      configOf: (run) => cellConfigFile(experimentOf.get(run)!, run.cell),
      flags: plan.flags,
      failFast: plan.failFast,
      predecessorOf: (run) => predecessors.get(run),
      display,
      pollEvery: plan.pollEvery,
    });
    if (stopped !== undefined) return stopped;
    return runs.every((run) => outcomes.get(run)?.kind === 'completed') ? 0 : 1;
  } finally {
    display.stop();
  }
}

/** Submits what is left of the experiments to the cluster. @returns a line for each job */
export async function sweepOnSlurm(
  plan: Omit<SweepPlan, 'machine' | 'jobs' | 'command'> & {
    jobs?: number;
    resources: readonly string[];
    taskCommand?: readonly string[];
  },
): Promise<string[]> {
  if (plan.failFast) {
    throw new UserError('does not work with Slurm, whose jobs cannot see each other', {
      place: '--fail-fast',
      fix: 'leave it out, or use --launcher local',
    });
  }
  const lines: string[] = [];
  const predecessors = predecessorsOf(plan.experiments.flatMap(({ runs }) => runs));
  const makersOf = ({ runs }: Experiment) => new Set(runs.flatMap((run) => predecessors.get(run) ?? []));
  const jobsOf = new Map<Run, string>();
  for (const experiment of makersFirst(plan.experiments, makersOf)) {
    await snapshot(experiment);
    // Weights that an earlier call asked for are waited for, too.
    const queue = await readQueue(experiment);
    for (const run of experiment.runs) {
      const queued = queue.get(resolve(run.folder));
      if (queued) jobsOf.set(run, queued.jobId);
    }
    const after = [...new Set([...makersOf(experiment)].flatMap((run) => jobsOf.get(run) ?? []))];
    const jobs = await submitToSlurm(experiment, {
      runs: experiment.runs,
      resources: resourcesOf(experiment.slurm, plan.resources, plan.jobs),
      configOf: (run) => cellConfigFile(experiment, run.cell),
      flags: plan.flags,
      after,
      taskCommand: plan.taskCommand ?? [process.execPath, resolve(gnbenchRun.script), 'task'],
    });
    for (const { jobId, runs } of jobs) for (const run of runs) jobsOf.set(run, jobId);
    lines.push(
      ...jobs.map(
        ({ jobId, runs }) =>
          `${experiment.name}: job ${jobId}, ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`,
      ),
    );
    if (jobs.length === 0) lines.push(`${experiment.name}: nothing left to submit`);
  }
  return lines;
}

/** Those that make weights before those that begin with them: their jobs are waited for. */
function makersFirst(
  experiments: readonly Experiment[],
  makersOf: (experiment: Experiment) => ReadonlySet<Run>,
): Experiment[] {
  const [left, ordered]: Experiment[][] = [[...experiments], []];
  while (left.length > 0) {
    const waits = (experiment: Experiment) => {
      const makers = makersOf(experiment);
      return left.some((other) => other !== experiment && other.runs.some((run) => makers.has(run)));
    };
    const next = left.findIndex((experiment) => !waits(experiment));
    ordered.push(...left.splice(Math.max(0, next), 1));
  }
  return ordered;
}
