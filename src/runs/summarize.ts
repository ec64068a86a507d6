import type { Resolved } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../datasets/index.js';
import type { ModelDescription } from '../nn/shape-net.js';
import type { Outcome } from '../training/train.js';
import type { CurveRow } from './curves.js';
import type { Progress } from './progress.js';
import { validationError } from './statistics.js';
import type { Summary } from './summary.js';

export interface Summarized {
  config: Config;
  resolved: Resolved;
  dataset: Dataset;
  description: ModelDescription;
  progress: Progress;
  rows: readonly CurveRow[];
  outcome: Outcome | { status: 'running' } | { status: 'failed'; message: string };
}

/** What `summary.json` says of a run as it stands. */
export function summarize({
  config,
  resolved,
  dataset,
  description,
  progress,
  rows,
  outcome,
}: Summarized): Summary {
  const last = rows.at(-1);
  const { final, medianLast5, best } = validationError(rows);
  const trainSeconds = progress.earlierTrainSeconds + progress.trainSeconds;
  const waitSeconds = progress.earlierWaitSeconds + progress.waitSeconds;
  const { official, note } = dataset;
  return {
    version: 1,
    status: outcome.status,
    id: resolved.id,
    name: config.name,
    seed: config.seed,
    parameters: description.parameters,
    epochs: { done: rows.length, total: config.epochs },
    steps: { done: progress.step, total: resolved.totalSteps },
    learningRate: resolved.rate,
    batch: { size: config.batch.size, workers: config.batch.workers },
    valError: { final: final ?? null, medianLast5: medianLast5 ?? null, best: best ?? null },
    trainError: { final: last?.train_error ?? null },
    trainLoss: { final: last?.train_loss ?? null },
    imagesPerSecond: trainSeconds > 0 ? (progress.step * resolved.imagesPerStep) / trainSeconds : null,
    secondsTotal: progress.seconds(),
    dataWaitShare: trainSeconds > 0 ? waitSeconds / trainSeconds : null,
    dataset: { name: dataset.name, official, ...(note !== undefined && { note }) },
    ...(outcome.status === 'failed' && {
      failure: { kind: 'error', message: outcome.message, step: progress.step },
    }),
    ...(outcome.status === 'diverged' && { divergedAtStep: outcome.step }),
    ...(outcome.status !== 'running' && { finishedAt: new Date().toISOString() }),
  };
}
