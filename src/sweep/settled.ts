import type { StartableRun } from '../experiments/experiment.js';
import { summaryOf } from '../runs/summary.js';
import { countFailures, mostFailures, type Outcome, readAttempts } from './attempts.js';

/**
 * How a run stands that needs no more work: finished, diverged, failed too often, or tried by somebody else since
 * `begunAt` (ISO 8601; a second try is for the next start). Undefined when there is something to do.
 */
export function settledOutcome(run: StartableRun, begunAt?: string): Outcome | undefined {
  const summary = summaryOf(run.folder);
  if (summary?.status === 'completed') return { kind: 'completed', step: summary.steps.done };
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
