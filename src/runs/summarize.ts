import type { Resolved } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../datasets/index.js';
import type { ModelDescription } from '../nn/shape-net.js';
import { loggedNames, type Measured } from '../tasks/metric.js';
import { type CurveRow, trainColumn } from './curves.js';
import type { TrainingProgress } from './progress.js';
import { metricStatistics } from './statistics.js';
import { type Summary, trainKey, valKey } from './summary.js';

/** How a training ended that did not fail. */
export type TrainingEnd = { status: 'completed' | 'interrupted' } | { status: 'diverged'; step: number };

export interface Summarized {
  config: Config;
  resolved: Resolved;
  dataset: Pick<Dataset, 'name' | 'official' | 'note' | 'classNames'>;
  description: Pick<ModelDescription, 'parameters'>;
  measured: Measured;
  progress: TrainingProgress;
  rows: readonly CurveRow[];
  outcome: TrainingEnd | { status: 'running' } | { status: 'failed'; message: string };
}

// ImageNet's have 12 kB; a summary is read within bounds.
const mostOfNames = 200_000;

/** The content of `summary.json` for a run as it stands. */
export function summarize({
  config,
  resolved,
  dataset,
  description,
  measured,
  progress,
  rows,
  outcome,
}: Summarized): Summary {
  const last = rows.at(-1);
  const { epochs, stepsPerEpoch } = resolved;
  const epochsDone =
    last?.step === resolved.totalSteps ? epochs : Math.floor((last?.step ?? 0) / stepsPerEpoch);
  const trainSeconds = progress.earlierTrainSeconds + progress.trainSeconds;
  const waitSeconds = progress.earlierWaitSeconds + progress.waitSeconds;
  const { official, note, classNames } = dataset;
  const validation = measured.metrics.map((metric) => {
    const { final = null, medianLast5 = null, best = null } = metricStatistics(rows, metric);
    return [valKey(metric.name), { final, medianLast5, best }] as const;
  });
  const trained = [...loggedNames(measured), 'loss'].map(
    (name) => [trainKey(name), { final: last?.[trainColumn(name)] ?? null }] as const,
  );
  return {
    version: 1,
    status: outcome.status,
    id: resolved.id,
    name: config.name,
    seed: config.seed,
    parameters: description.parameters,
    epochs: { done: epochsDone, total: epochs },
    steps: { done: progress.step, total: resolved.totalSteps },
    learningRate: resolved.rate,
    batch: { size: config.batch.size, workers: config.batch.workers },
    metrics: measured.metrics,
    ...Object.fromEntries(validation),
    ...Object.fromEntries(trained),
    imagesPerSecond: trainSeconds > 0 ? (progress.step * resolved.imagesPerStep) / trainSeconds : null,
    secondsTotal: progress.seconds(),
    dataWaitShare: trainSeconds > 0 ? waitSeconds / trainSeconds : null,
    dataset: {
      name: dataset.name,
      official,
      ...(note !== undefined && { note }),
      ...(classNames && JSON.stringify(classNames).length < mostOfNames && { classNames }),
    },
    ...(outcome.status === 'failed' && {
      failure: { kind: 'error', message: outcome.message, step: progress.step },
    }),
    ...(outcome.status === 'diverged' && { divergedAtStep: outcome.step }),
    ...(outcome.status !== 'running' && { finishedAt: new Date().toISOString() }),
  };
}
