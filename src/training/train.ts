/** The training loop, read top to bottom: for each row of the curves, for each batch: step, record; evaluate, log, checkpoint. */
import { setImmediate as yieldToSignals } from 'node:timers/promises';
import type { Resolved } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { isAugmented } from '../datasets/schema.js';
import { openTrainBatches } from '../input/batches.js';
import type { SourceDescription } from '../input/example-source.js';
import type { CheckpointPolicy } from '../runs/checkpoint/policy.js';
import { type CurvesLog, trainColumn, valColumn } from '../runs/curves.js';
import { startRow, type TrainingProgress } from '../runs/progress.js';
import type { Reporter } from '../runs/reporter.js';
import type { TrainingEnd } from '../runs/summarize.js';
import { loggedMeans, type Measured } from '../tasks/metric.js';
import type { OpenNetwork } from './open-network.js';
import type { TrainStep } from './step.js';

export interface Training {
  config: Config;
  resolved: Resolved;
  examples: SourceDescription;
  trainOn: TrainStep;
  /** The columns that the task logs, and its metrics. */
  measured: Measured;
  /** Evaluates the validation split; undefined when `pause`, called after each batch, said to end early. */
  evaluate: OpenNetwork['evaluate'];
  curves: Pick<CurvesLog, 'rows' | 'append'>;
  checkpoints: CheckpointPolicy;
  reporter: Reporter;
  /** True when all trained weights are finite: the last update comes after the last loss. */
  weightsAreFinite(): boolean;
  /** True when the run was asked to stop. */
  stopRequested(): boolean;
}

/**
 * Trains from `progress` on, which it moves along, until the last step, a stop, or a loss that is not finite: of a
 * step, or of an evaluation, which also sees what the last update did.
 */
export async function train(training: Training, progress: TrainingProgress): Promise<TrainingEnd> {
  const { config, resolved, examples, measured, evaluate, curves, checkpoints, reporter, stopRequested } =
    training;
  const { stepsPerEpoch, totalSteps, rowSteps, imagesPerStep } = resolved;
  const { seed } = config;
  const batches = openTrainBatches(examples, {
    seed,
    batchSize: imagesPerStep,
    firstStep: progress.step,
    stepsPerEpoch,
    totalSteps,
    augment: isAugmented(config.data),
  });
  try {
    // A row is an epoch, unless evaluations come every so many steps.
    for (let row = curves.rows.length + 1; (row - 1) * rowSteps < totalSteps; row++) {
      const first = (row - 1) * rowSteps;
      const end = Math.min(row * rowSteps, totalSteps);
      const isLast = end === totalSteps;
      if (progress.step === first) startRow(progress);

      while (progress.step < end) {
        const started = performance.now();
        const waited = batches.waitedMs;
        const rate = resolved.rateAt(progress.step);
        const { loss, logged } = training.trainOn(batches.next(), rate, {
          step: progress.step,
          fractionDone: progress.step / totalSteps,
        });
        if (!Number.isFinite(loss)) return { status: 'diverged', step: progress.step + 1 };

        progress.step++;
        progress.loss += loss;
        for (const [name, value] of Object.entries(logged)) progress.sums[name] += value;
        progress.trainSeconds += (performance.now() - started) / 1000;
        progress.waitSeconds += (batches.waitedMs - waited) / 1000;
        const means = loggedMeans(measured, logged, { steps: 1, images: imagesPerStep });
        const epoch = Math.ceil(progress.step / stepsPerEpoch);
        reporter.step(progress, { epoch, rowStep: progress.step - first, rate, loss, logged: means });

        await yieldToSignals();
        const stopping = stopRequested();
        if (stopping || checkpoints.due(progress)) checkpoints.save(progress);
        if (stopping) return { status: 'interrupted' };
      }

      const evaluated = row % config.evaluate.every === 0 || isLast;
      const validation = evaluated
        ? await evaluate(async (done) => {
            reporter.evaluating(progress, done);
            await yieldToSignals();
            return stopRequested();
          }, isLast)
        : undefined;
      if (evaluated && !validation) {
        checkpoints.save(progress);
        return { status: 'interrupted' };
      }

      const steps = end - first;
      const images = steps * imagesPerStep;
      const means = loggedMeans(measured, progress.sums, { steps, images });
      curves.append({
        epoch: Math.ceil(end / stepsPerEpoch),
        step: progress.step,
        images: progress.step * imagesPerStep,
        learning_rate: resolved.rateAt(progress.step - 1),
        train_loss: progress.loss / steps,
        ...Object.fromEntries(Object.entries(means).map(([name, mean]) => [trainColumn(name), mean])),
        val_loss: validation?.loss,
        ...Object.fromEntries(measured.metrics.map(({ name }) => [valColumn(name), validation?.[name]])),
        images_per_second: images / progress.trainSeconds,
        seconds: progress.seconds(),
      });
      reporter.epoch(curves.rows.at(-1)!);
      const lossIsFinite = validation?.loss === undefined || Number.isFinite(validation.loss);
      if (!lossIsFinite || (isLast && !training.weightsAreFinite())) {
        return { status: 'diverged', step: progress.step };
      }
      checkpoints.save(progress);
    }
    return { status: 'completed' };
  } finally {
    await batches.close();
  }
}
