/** The training loop, read top to bottom: for each epoch, for each batch: step, record; evaluate, log, checkpoint. */
import { setImmediate as yieldToSignals } from 'node:timers/promises';
import type { Resolved } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../datasets/dataset.js';
import { openTrainBatches } from '../input/batches.js';
import type { CheckpointPolicy } from '../runs/checkpoint/policy.js';
import type { CurvesLog } from '../runs/curves.js';
import { type Progress, startEpoch } from '../runs/progress.js';
import type { Reporter } from '../runs/reporter.js';
import type { Evaluation } from './evaluation.js';
import type { TrainStep } from './steps.js';

export interface Training {
  config: Config;
  resolved: Resolved;
  dataset: Dataset;
  trainOn: TrainStep;
  /** Evaluates the validation split; undefined when `pause`, called after each batch, said to end early. */
  evaluate(pause: (images: number) => Promise<boolean>): Promise<Evaluation | undefined>;
  curves: Pick<CurvesLog, 'rows' | 'append'>;
  checkpoints: CheckpointPolicy;
  reporter: Reporter;
  /** Whether the run was asked to stop. */
  stopRequested(): boolean;
}

export type Outcome = { status: 'completed' | 'interrupted' } | { status: 'diverged'; step: number };

/** Trains from `progress` on, which it moves along, until the last epoch, a stop, or a loss that is not finite. */
export async function train(training: Training, progress: Progress): Promise<Outcome> {
  const { config, resolved, dataset, trainOn, evaluate, curves, checkpoints, reporter, stopRequested } =
    training;
  const { stepsPerEpoch, totalSteps, imagesPerStep } = resolved;
  const { seed, epochs } = config;
  const batches = openTrainBatches(dataset, {
    seed,
    batchSize: imagesPerStep,
    firstStep: progress.step,
    stepsPerEpoch,
    totalSteps,
    augment: config.data.augment,
  });
  try {
    for (let epoch = curves.rows.length + 1; epoch <= epochs; epoch++) {
      if (progress.step === (epoch - 1) * stepsPerEpoch) startEpoch(progress);

      while (progress.step < epoch * stepsPerEpoch) {
        const started = performance.now();
        const waited = batches.waitedMs;
        const rate = resolved.rateAt(progress.step);
        const { loss, errors } = trainOn(batches.next(), rate, {
          step: progress.step,
          done: progress.step / totalSteps,
        });
        if (!Number.isFinite(loss)) return { status: 'diverged', step: progress.step + 1 };

        progress.step++;
        progress.loss += loss;
        progress.errors += errors;
        progress.trainSeconds += (performance.now() - started) / 1000;
        progress.waitSeconds += (batches.waitedMs - waited) / 1000;
        reporter.step(progress, { epoch, rate, loss, error: (100 * errors) / imagesPerStep });

        await yieldToSignals();
        const stopping = stopRequested();
        if (stopping || checkpoints.due(progress)) await checkpoints.save(progress);
        if (stopping) return { status: 'interrupted' };
      }

      const evaluated = epoch % config.evaluate.every === 0 || epoch === epochs;
      const validation = evaluated
        ? await evaluate(async (done) => {
            reporter.evaluating(progress, done);
            await yieldToSignals();
            return stopRequested();
          })
        : undefined;
      if (evaluated && !validation) {
        await checkpoints.save(progress);
        return { status: 'interrupted' };
      }

      const epochImages = stepsPerEpoch * imagesPerStep;
      await curves.append({
        epoch,
        step: progress.step,
        images: progress.step * imagesPerStep,
        learning_rate: resolved.rateAt(progress.step - 1),
        train_loss: progress.loss / stepsPerEpoch,
        train_error: (100 * progress.errors) / epochImages,
        val_loss: validation?.loss,
        val_error: validation?.error,
        images_per_second: epochImages / progress.trainSeconds,
        seconds: progress.seconds(),
      });
      reporter.epoch(curves.rows.at(-1)!);
      await checkpoints.save(progress);
    }
    return { status: 'completed' };
  } finally {
    await batches.close();
  }
}
