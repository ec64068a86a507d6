/** The training loop, read top to bottom: for each epoch, for each batch: step, record; evaluate, log, checkpoint. */
import { setImmediate as yieldToSignals } from 'node:timers/promises';
import type { Resolved } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { isAugmented } from '../datasets/schema.js';
import { openTrainBatches } from '../input/batches.js';
import type { SourceDescription } from '../input/example-source.js';
import type { CheckpointPolicy } from '../runs/checkpoint/policy.js';
import { type CurvesLog, trainColumn, valColumn } from '../runs/curves.js';
import { startEpoch, type TrainingProgress } from '../runs/progress.js';
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
 * Trains from `progress` on, which it moves along, until the last epoch, a stop, or a loss that is not finite: of a
 * step, or of an evaluation, which also sees what the last update did.
 */
export async function train(training: Training, progress: TrainingProgress): Promise<TrainingEnd> {
  const { config, resolved, examples, measured, evaluate, curves, checkpoints, reporter, stopRequested } =
    training;
  const { stepsPerEpoch, totalSteps, imagesPerStep } = resolved;
  const { seed, epochs } = config;
  const batches = openTrainBatches(examples, {
    seed,
    batchSize: imagesPerStep,
    firstStep: progress.step,
    stepsPerEpoch,
    totalSteps,
    augment: isAugmented(config.data),
  });
  try {
    for (let epoch = curves.rows.length + 1; epoch <= epochs; epoch++) {
      if (progress.step === (epoch - 1) * stepsPerEpoch) startEpoch(progress);

      while (progress.step < epoch * stepsPerEpoch) {
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
        reporter.step(progress, { epoch, rate, loss, logged: means });

        await yieldToSignals();
        const stopping = stopRequested();
        if (stopping || checkpoints.due(progress)) checkpoints.save(progress);
        if (stopping) return { status: 'interrupted' };
      }

      const evaluated = epoch % config.evaluate.every === 0 || epoch === epochs;
      const validation = evaluated
        ? await evaluate(async (done) => {
            reporter.evaluating(progress, done);
            await yieldToSignals();
            return stopRequested();
          }, epoch === epochs)
        : undefined;
      if (evaluated && !validation) {
        checkpoints.save(progress);
        return { status: 'interrupted' };
      }

      const epochImages = stepsPerEpoch * imagesPerStep;
      const means = loggedMeans(measured, progress.sums, { steps: stepsPerEpoch, images: epochImages });
      curves.append({
        epoch,
        step: progress.step,
        images: progress.step * imagesPerStep,
        learning_rate: resolved.rateAt(progress.step - 1),
        train_loss: progress.loss / stepsPerEpoch,
        ...Object.fromEntries(Object.entries(means).map(([name, mean]) => [trainColumn(name), mean])),
        val_loss: validation?.loss,
        ...Object.fromEntries(measured.metrics.map(({ name }) => [valColumn(name), validation?.[name]])),
        images_per_second: epochImages / progress.trainSeconds,
        seconds: progress.seconds(),
      });
      reporter.epoch(curves.rows.at(-1)!);
      const lossIsFinite = validation?.loss === undefined || Number.isFinite(validation.loss);
      if (!lossIsFinite || (epoch === epochs && !training.weightsAreFinite())) {
        return { status: 'diverged', step: progress.step };
      }
      checkpoints.save(progress);
    }
    return { status: 'completed' };
  } finally {
    await batches.close();
  }
}
