import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Experiment, Run, StartableRun } from '../experiments/experiment.js';
import { type CurveRow, readCurves } from '../runs/curves.js';
import { cutCurves } from '../runs/cut-curves.js';
import { metricStatistics, reportedStatistic } from '../runs/statistics.js';
import { metricsOf, type Summary, summaryOf } from '../runs/summary.js';
import { lockOwner } from '../storage/lock.js';
import type { Metric } from '../tasks/metric.js';
import { countFailures, mostFailures, readAttempts } from './attempts.js';

export const runStates = [
  'done',
  'running',
  'queued',
  'interrupted',
  'failed',
  'diverged',
  'waiting',
] as const;

/** `waiting` has not been started, `interrupted` goes on from its checkpoint at the next sweep. */
export type SweepRunState = (typeof runStates)[number];

export interface RunStatus {
  run: Run;
  state: SweepRunState;
  /** The total is not known of a training in steps that never began. */
  epochs: { done: number; total?: number };
  /** The share of its steps that are done, 0 to 1. */
  share: number;
  /** The task's first metric on the validation split: the last five epochs' median once it is done, before that the last. */
  validation?: number;
  metric: Metric;
  /** Times it was started. */
  attempts: number;
  /** True when the next sweep will start it (again). */
  pending: boolean;
  /** True for a run that was completed, and whose curve is not whole any more. */
  damaged: boolean;
  /** The reason of a failure, or the process that runs it. */
  note?: string;
}

/** Runs that a cluster has in its queue: the run folder's absolute path → pending or running there, and its job. */
export type Queue = ReadonlyMap<string, { state: 'queued' | 'running'; jobId: string }>;

/** How every run stands, from what is on disk. `queue` comes from the cluster where there is one. */
export async function readStatus(experiment: Experiment, queue: Queue = new Map()): Promise<RunStatus[]> {
  return Promise.all(experiment.runs.map((run) => statusOf(run, queue)));
}

async function statusOf(run: Run, queue: Queue = new Map()): Promise<RunStatus> {
  const attempts = readAttempts(run.folder);
  const last = attempts.at(-1);
  const summary = summaryOf(run.folder);
  const total = run.cell.config.epochs ?? summary?.epochs.total;
  const failures = countFailures(attempts);
  const of = async (
    state: SweepRunState,
    pending: boolean,
    note?: string,
    damaged = false,
  ): Promise<RunStatus> => {
    const rows = await curvesOf(run);
    const row = rows.at(-1);
    const share = shareOf(row, total, summary);
    // A row within an epoch has the number of that epoch, which is not done.
    const done = total === undefined ? (row?.epoch ?? 0) : Math.floor(share * total + 1e-9);
    const [metric] = metricsOf(summary);
    const statistics = metricStatistics(rows, metric);
    const validation = statistics[state === 'done' ? reportedStatistic(run.cell.config.model.name) : 'final'];
    const epochs = { done, total };
    return {
      run,
      state,
      epochs,
      share,
      metric,
      validation,
      attempts: attempts.length,
      pending,
      damaged,
      note,
    };
  };
  if (summary?.status === 'completed') {
    const cut = cutCurves(run.folder, summary);
    return cut ? of('failed', false, cut, true) : of('done', false);
  }
  if (summary?.status === 'diverged') {
    return of('diverged', false, `at step ${summary.divergedAtStep ?? summary.steps.done}`);
  }
  const owner = lockOwner(run.folder) ?? lockOwner(dirname(run.folder), claimName(run));
  if (owner) return of('running', true, `process ${owner.pid} on ${owner.host}`);
  const queued = queue.get(resolve(run.folder))?.state;
  if (queued) return of(queued, true);
  if (last?.outcome && last.outcome !== 'completed' && last.outcome !== 'interrupted') {
    const at = last.step === undefined ? '' : ` at step ${last.step}`;
    const message = last.message ? `: ${last.message}` : '';
    const pending = failures < mostFailures;
    return of('failed', pending, `${last.outcome}${at}${message}${pending ? '' : ' (tried often enough)'}`);
  }
  const begun = last !== undefined || existsSync(join(run.folder, 'config.yaml'));
  return of(begun ? 'interrupted' : 'waiting', true);
}

/** The lock that a sweep holds on a run while it has it, in the cell's folder. */
export const claimName = (run: StartableRun) => `${run.seed}.lock`;

/** By steps, where the summary knows how many there are. */
function shareOf(
  row: CurveRow | undefined,
  epochs: number | undefined,
  summary: Summary | undefined,
): number {
  if (!row) return 0;
  if (summary) return Math.min(1, row.step / summary.steps.total);
  return epochs === undefined ? 0 : Math.min(1, row.epoch / epochs);
}

async function curvesOf(run: Run): Promise<CurveRow[]> {
  try {
    return readCurves(join(run.folder, 'curves.csv'));
  } catch {
    return [];
  }
}
