import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { StartableRun } from '../experiments/experiment.js';
import { cutCurves } from '../runs/cut-curves.js';
import { summaryOf } from '../runs/summary.js';
import { makeFolders, replaceFile } from '../storage/files.js';
import { fileError } from '../storage/system-errors.js';

const outcomeKinds = [
  'completed',
  'diverged',
  /** Told to stop, and saved. */
  'interrupted',
  /** A configuration or an input that `gnbench run` would not take: nothing ran. */
  'refused',
  /** Neither the run's fault nor mended by another try: the sweep stops. */
  'disk full',
  'killed',
  'out of memory',
  'crashed',
] as const;

export type OutcomeKind = (typeof outcomeKinds)[number];

/** The end of one attempt at a run. */
export interface AttemptResult {
  kind: OutcomeKind;
  /** Steps done, as far as is known. */
  step?: number;
  message?: string;
  exitCode?: number;
  signal?: string;
}

const attemptSchema = z.object({
  startedAt: z.string(),
  /** Missing while it runs, and for good when the sweep itself was killed. */
  endedAt: z.string().optional(),
  host: z.string(),
  outcome: z.enum(outcomeKinds).optional(),
  step: z.number().optional(),
  message: z.string().optional(),
  exitCode: z.number().optional(),
  signal: z.string().optional(),
});

export type Attempt = z.output<typeof attemptSchema>;

const fileSchema = z.object({ attempts: z.array(attemptSchema) });

/** The first attempt and three more. */
export const mostFailures = 4;

/** The file beside the run's folder, which belongs to the run alone: `results/<experiment>/<cell>/<seed>.attempts.json`. */
export const attemptsFile = (runFolder: string) => `${runFolder}.attempts.json`;

/** Every start of the run so far. A file that cannot be read counts as none: it only limits the number of attempts. */
export function readAttempts(runFolder: string): Attempt[] {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(attemptsFile(runFolder), 'utf8'))).attempts;
  } catch {
    return [];
  }
}

/** The number of failures that may pass: the state is on disk, and the next start goes on from there. */
export function countFailures(attempts: readonly Attempt[]): number {
  return attempts.filter(({ outcome }) => outcome !== undefined && retried.has(outcome)).length;
}

const retried = new Set<OutcomeKind>(['killed', 'out of memory', 'crashed']);

/**
 * Records that a run was started, and returns a function that records how it ended. Only the holder of the run's claim
 * may call them.
 */
export function recordAttempt(runFolder: string): (outcome: AttemptResult) => void {
  const attempts = readAttempts(runFolder);
  const attempt: Attempt = { startedAt: new Date().toISOString(), host: hostname() };
  const write = (latest: Attempt) => {
    const file = attemptsFile(runFolder);
    try {
      makeFolders(dirname(file));
      replaceFile(file, `${JSON.stringify({ attempts: [...attempts, latest] }, null, 2)}\n`);
    } catch (error) {
      throw fileError(error, 'could not write down how a run ended', file);
    }
  };
  write(attempt);
  return ({ kind, ...rest }) =>
    write({ ...attempt, endedAt: new Date().toISOString(), outcome: kind, ...rest });
}

/**
 * The result of a run that needs no more work: it finished, diverged, failed too often, or was tried by another sweep
 * since `begunAt` (ISO 8601; a second try is for the next start). Undefined when there is something to do.
 */
export function finalResult(run: StartableRun, begunAt?: string): AttemptResult | undefined {
  const summary = summaryOf(run.folder);
  if (summary?.status === 'completed') {
    const cut = cutCurves(run.folder, summary);
    const step = summary.steps.done;
    return cut ? { kind: 'crashed', step, message: cut } : { kind: 'completed', step };
  }
  if (summary?.status === 'diverged') {
    return { kind: 'diverged', step: summary.divergedAtStep ?? summary.steps.done };
  }
  const attempts = readAttempts(run.folder);
  const last = attempts.at(-1);
  if (!last?.outcome || last.outcome === 'interrupted' || last.outcome === 'completed') return undefined;
  const triedNow = begunAt !== undefined && last.startedAt > begunAt;
  const endless = last.outcome === 'refused' || last.outcome === 'disk full';
  const triedOften = !endless && countFailures(attempts) >= mostFailures;
  return triedNow || triedOften ? { kind: last.outcome, step: last.step, message: last.message } : undefined;
}
