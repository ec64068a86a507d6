/** `summary.json`: how a run stands or ended, for sweeps, tables and scripts. */
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { diskFileSystem, type FileSystem, replaceFile } from '../storage/files.js';
import { fileError } from '../storage/system-errors.js';
import { classificationMeasures, type Metric } from '../tasks/metric.js';

export const statuses = ['running', 'interrupted', 'completed', 'diverged', 'failed'] as const;

/** A number that may not exist yet, or was not finite: JSON has no NaN. */
type Maybe = number | null;

/**
 * Times are in seconds. `val<Metric>` holds each metric of the task on the validation split (`valError`), `train<Name>`
 * the last epoch's mean of what the task logs in training (`trainError`, `trainLoss`).
 */
export interface Summary {
  /** The version of this file's format. */
  version: 1;
  status: (typeof statuses)[number];
  id: string;
  name: string;
  seed: number;
  /** Trainable numbers. */
  parameters: number;
  epochs: { done: number; total: number };
  steps: { done: number; total: number };
  /** The resolved rate before any drop. */
  learningRate: number;
  batch: { size: number; workers: number };
  /** The metrics that the task is judged by; a summary without them is a classification's. */
  metrics?: readonly Metric[];
  [metric: `val${string}`]: { final: Maybe; medianLast5: Maybe; best: Maybe };
  [logged: `train${string}`]: { final: Maybe };
  imagesPerSecond: Maybe;
  secondsTotal: number;
  /** Share of the training time spent waiting for data. */
  dataWaitShare: Maybe;
  dataset: { name: string; official: boolean; note?: string; classNames?: readonly string[] };
  divergedAtStep?: number;
  failure?: { kind: string; message: string; step?: number };
  /** ISO 8601; missing while it runs. */
  finishedAt?: string;
}

const currentVersion = 1;

/** The metrics of the run's task, the most important first. */
export const metricsOf = (summary?: Summary): readonly Metric[] =>
  summary?.metrics ?? classificationMeasures.metrics;

/** The summary's key for a metric: `valError`. */
export const valKey = (name: string): `val${string}` => `val${capitalized(name)}`;
/** The summary's key for what is logged in training: `trainLoss`. */
export const trainKey = (name: string): `train${string}` => `train${capitalized(name)}`;
const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

/** Each field's type by its path; `?` marks one that may be missing or null. */
const fields: Record<string, string> = {
  id: 'string',
  name: 'string',
  seed: 'number',
  parameters: 'number',
  'epochs.done': 'number',
  'epochs.total': 'number',
  'steps.done': 'number',
  'steps.total': 'number',
  learningRate: 'number',
  'batch.size': 'number',
  'batch.workers': 'number',
  trainLoss: 'object',
  'trainLoss.final': 'number|null',
  imagesPerSecond: 'number|null',
  secondsTotal: 'number',
  dataWaitShare: 'number|null',
  'dataset.name': 'string',
  'dataset.official': 'boolean',
  'dataset.note': 'string?',
  'dataset.classNames': 'object?',
  divergedAtStep: 'number?',
  finishedAt: 'string?',
};

/**
 * Replaces the file as a whole; numbers that are not finite become null. Throws UserError (exit code 1) when it can't
 * be written.
 */
export function writeSummary(file: string, summary: Summary, files: FileSystem = diskFileSystem): void {
  try {
    replaceFile(file, `${JSON.stringify(summary, null, 2)}\n`, files);
  } catch (error) {
    throw fileError(error, 'could not write the summary', file);
  }
}

/**
 * Throws UserError for a file that is missing, truncated, of another version or not a summary; unknown fields are
 * kept.
 */
export function readSummary(file: string, files: FileSystem = diskFileSystem): Summary {
  let text: string;
  try {
    const bytes = files.read(file);
    if (bytes.length > 1e6) throw new UserError('it is too large for a summary', { place: file });
    text = Buffer.from(bytes).toString('utf8');
  } catch (error) {
    throw fileError(error, 'could not read the summary', file, { exitCode: 2 });
  }
  return checkSummary(text, file);
}

/** The summary of the run in a folder, if there is a sound one. */
export function summaryOf(runFolder: string): Summary | undefined {
  try {
    return readSummary(join(runFolder, 'summary.json'));
  } catch {
    return undefined; // not begun, or killed before it wrote one whole
  }
}

/** The same of a run that has ended for good: nothing of it is to be done any more. */
export function endedSummary(runFolder: string): Summary | undefined {
  const summary = summaryOf(runFolder);
  return summary?.status === 'completed' || summary?.status === 'diverged' ? summary : undefined;
}

function checkSummary(text: string, file: string): Summary {
  const fix = 'delete it and resume the run, which writes it anew';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`it is not whole JSON: ${(error as Error).message}`, { place: file, fix });
  }
  const version = at(value, 'version');
  if (version !== currentVersion) {
    throw new UserError(
      `version ${JSON.stringify(version) ?? 'none'} of the summary is not known here, only ${currentVersion}`,
      { place: file, fix: 'read it with the gnbench that wrote it' },
    );
  }
  const metrics = metricsFound(at(value, 'metrics'));
  const perMetric = (metrics ?? []).flatMap(({ name }) => [
    [valKey(name), 'object'],
    ...['final', 'medianLast5', 'best'].map((key) => [`${valKey(name)}.${key}`, 'number|null']),
  ]);
  const wrong = [...Object.entries(fields), ...perMetric].flatMap(([path, type]) => {
    const found = at(value, path);
    const kind = type.replace(/\W.*/, '');
    const sound =
      found === null ? type !== kind : found === undefined ? type.endsWith('?') : typeof found === kind;
    return sound ? [] : `${path} should be of type ${kind}`;
  });
  const status = at(value, 'status');
  if (!statuses.some((known) => known === status))
    wrong.unshift(`status should be one of ${statuses.join(', ')}`);
  if (!metrics) wrong.push('metrics should be a list of metrics');
  const failure = at(value, 'failure');
  if (failure !== undefined && failure !== null && typeof at(failure, 'kind') !== 'string') {
    wrong.push('failure.kind should be a string');
  }
  if (wrong.length > 0) throw new UserError(`it is no summary: ${wrong.join('; ')}`, { place: file, fix });
  return value as Summary;
}

/** The metrics that a summary names; undefined when that is something else. */
function metricsFound(value: unknown): readonly Metric[] | undefined {
  if (value === undefined) return metricsOf();
  const sound =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (metric) =>
        /^[a-z]\w*$/.test(String(at(metric, 'name'))) &&
        typeof at(metric, 'unit') === 'string' &&
        ['lower', 'higher'].includes(at(metric, 'better') as string) &&
        typeof at(metric, 'aboutEqual') === 'number',
    );
  return sound ? value : undefined;
}

function at(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}
