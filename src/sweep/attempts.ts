import { mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { z } from 'zod';
import { fileError, replaceFile } from '../storage/files.js';

export const outcomeKinds = [
  'completed',
  'diverged',
  /** Told to stop, and saved. */
  'interrupted',
  /** A configuration or an input that `gnbench run` would not take: nothing ran. */
  'refused',
  /** Nothing that another try would mend, nor the run's fault: the sweep stops. */
  'disk full',
  'killed',
  'out of memory',
  'crashed',
] as const;

export type OutcomeKind = (typeof outcomeKinds)[number];

export interface Outcome {
  kind: OutcomeKind;
  /** Steps done, as far as is known. */
  step?: number;
  message?: string;
  exitCode?: number;
  signal?: string;
}

const attemptSchema = z.object({
  startedAt: z.string(),
  /** Missing while it runs, and for ever when the sweep itself was killed. */
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

/** First try and three more. */
export const mostFailures = 4;

/** Beside the run's folder, which is the run's own: `results/<experiment>/<cell>/<seed>.attempts.json`. */
export const attemptsFile = (runFolder: string) => `${runFolder}.attempts.json`;

/** Every start of the run so far. One that can't be read counts as none: it only bounds the tries. */
export function readAttempts(runFolder: string): Attempt[] {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(attemptsFile(runFolder), 'utf8'))).attempts;
  } catch {
    return [];
  }
}

/** How often it failed in a way that may pass: the state is on disk, and the next start goes on from there. */
export function countFailures(attempts: readonly Attempt[]): number {
  return attempts.filter(({ outcome }) => outcome !== undefined && retried.has(outcome)).length;
}

const retried = new Set<OutcomeKind>(['killed', 'out of memory', 'crashed']);

/** Writes down that a run was started; call the result with how it ended. Only who holds the run's claim may. */
export function recordAttempt(runFolder: string): (outcome: Outcome) => void {
  const attempts = readAttempts(runFolder);
  const attempt: Attempt = { startedAt: new Date().toISOString(), host: hostname() };
  const write = (latest: Attempt) => {
    const file = attemptsFile(runFolder);
    try {
      mkdirSync(dirname(file), { recursive: true });
      replaceFile(file, `${JSON.stringify({ attempts: [...attempts, latest] }, null, 2)}\n`);
    } catch (error) {
      throw fileError(error, 'could not write down how a run ended', file);
    }
  };
  write(attempt);
  return ({ kind, ...rest }) =>
    write({ ...attempt, endedAt: new Date().toISOString(), outcome: kind, ...rest });
}
