/** Tells whoever watches a run how it goes: a bar or lines on stderr, rows in steps.csv, messages to a sweep. */

import { labelOf, loggedMeans, loggedNames, type Measured, valueWithUnit } from '../tasks/metric.js';
import { startProgress } from '../terminal/progress.js';
import { type CurveRow, type StepRow, trainColumn } from './curves.js';
import type { TrainingProgress } from './progress.js';
import { lastInWords } from './statistics.js';
import { type EventFile, logEpoch } from './tensorboard.js';

export interface StepReport {
  epoch: number;
  /** Steps of the current row of curves.csv that are done, this one among them. */
  rowStep: number;
  rate: number;
  loss: number;
  /** The other numbers that the task logs of the step, in the units of its columns. */
  logged: Record<string, number>;
}

export interface Reporter {
  step(progress: TrainingProgress, report: StepReport): void;
  evaluating(progress: TrainingProgress, images: number): void;
  epoch(row: CurveRow): void;
  stop(note: string): void;
}

/** A run's message to the sweep that started it, about once a second and after each epoch. */
export interface ProgressMessage {
  type: 'progress';
  epoch: number;
  step: number;
  totalSteps: number;
  loss: number;
  /** The task's first metric at the last evaluation, in words: `error 12.34 %`. */
  validation?: string;
  imagesPerSecond: number;
  /** The word for an example: images when left out. */
  examples?: 'images' | 'clips';
}

export interface ReporterOptions {
  epochs: number;
  totalSteps: number;
  imagesPerStep: number;
  /** The word for an example: image, clip. */
  examples?: 'images' | 'clips';
  measured: Measured;
  quiet: boolean;
  /** The log steps.csv, and every how many steps a row goes there. */
  steps?: { append(row: StepRow): void; every: number };
  /** TensorBoard's. */
  events?: EventFile;
}

const noteEveryMs = 250;
const messageEveryMs = 1000;

export function createReporter(options: ReporterOptions, firstStep: number): Reporter {
  const { epochs, totalSteps, imagesPerStep, measured, quiet, steps, events, examples = 'images' } = options;
  const bar = startProgress({ label: 'training', total: totalSteps, unit: 'steps', quiet });
  bar.update(firstStep);
  let notedAt = 0;
  let sentAt = 0;
  let validation: string | undefined;

  const send = (progress: Pick<ProgressMessage, 'epoch' | 'step' | 'loss' | 'imagesPerSecond'>) => {
    if (!process.connected) return;
    const message: ProgressMessage = { type: 'progress', totalSteps, validation, examples, ...progress };
    process.send?.(message, () => {}); // the parent may be gone: the run notices by `disconnect`
  };

  const facts = (
    loss: number,
    means: Record<string, number>,
    validated: string | undefined,
    imagesPerSecond: number,
  ) => {
    const logged = Object.entries(means).map(([name, mean]) => {
      const metric = measured.metrics.find((known) => known.name === name);
      return metric ? `${labelOf(metric)} ${valueWithUnit(metric, mean)}` : `${name} ${mean.toFixed(3)}`;
    });
    const parts = [`loss ${loss.toFixed(3)}`, ...logged, validated && `val ${validated}`];
    return [...parts.filter(Boolean), `${imagesPerSecond.toFixed(0)} ${examples}/s`].join(' · ');
  };

  return {
    step(progress, { epoch, rowStep: done, rate, loss, logged }) {
      const now = performance.now();
      if (steps && progress.step % steps.every === 0) {
        steps.append({ step: progress.step, epoch, learning_rate: rate, loss, ...logged });
      }
      if (now - notedAt < noteEveryMs) return;
      notedAt = now;
      const meanLoss = progress.loss / done;
      const means = loggedMeans(measured, progress.sums, { steps: done, images: done * imagesPerStep });
      const imagesPerSecond = (done * imagesPerStep) / progress.trainSeconds;
      bar.update(
        progress.step,
        [`epoch ${epoch}/${epochs}`, facts(meanLoss, means, validation, imagesPerSecond)].join(' · '),
      );
      if (now - sentAt < messageEveryMs) return;
      sentAt = now;
      send({ epoch, step: progress.step, loss: meanLoss, imagesPerSecond });
    },
    evaluating(progress, images) {
      const now = performance.now();
      if (now - notedAt < noteEveryMs) return;
      notedAt = now;
      bar.update(progress.step, `evaluating · ${images} ${examples}`);
    },
    epoch(row) {
      validation = lastInWords([row], measured.metrics[0]);
      if (events) logEpoch(events, row);
      const { epoch, step, train_loss: loss, images_per_second: imagesPerSecond } = row;
      send({ epoch, step, loss, imagesPerSecond });
      const means = Object.fromEntries(loggedNames(measured).map((name) => [name, row[trainColumn(name)]!]));
      bar.update(
        step,
        [`epoch ${epoch}/${epochs}`, facts(loss, means, validation, imagesPerSecond)].join(' · '),
      );
    },
    stop(note) {
      bar.stop(note);
    },
  };
}
