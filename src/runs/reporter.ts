/** Tells whoever watches a run how it goes: a bar or lines on stderr, rows in steps.csv, messages to a sweep. */
import { startProgress } from '../terminal/progress.js';
import type { CurveRow, StepRow } from './curves.js';
import type { Progress } from './progress.js';
import { type EventFile, logEpoch } from './tensorboard.js';

export interface StepReport {
  epoch: number;
  rate: number;
  /** Of this step's images; the error in percent. */
  loss: number;
  error: number;
}

export interface Reporter {
  step(progress: Progress, report: StepReport): void;
  evaluating(progress: Progress, images: number): void;
  epoch(row: CurveRow): void;
  stop(note: string): void;
}

/** What a run sends to the sweep that started it, about once a second and after each epoch. */
export interface ProgressMessage {
  type: 'progress';
  epoch: number;
  step: number;
  totalSteps: number;
  loss: number;
  valError?: number;
  imagesPerSecond: number;
}

export interface ReporterOptions {
  epochs: number;
  stepsPerEpoch: number;
  imagesPerStep: number;
  quiet: boolean;
  /** Of steps.csv, and every how many steps a row goes there. */
  steps?: { append(row: StepRow): void; every: number };
  /** For TensorBoard. */
  events?: EventFile;
}

const noteEveryMs = 250;
const messageEveryMs = 1000;

export function createReporter(options: ReporterOptions, firstStep: number): Reporter {
  const { epochs, stepsPerEpoch, imagesPerStep, quiet, steps, events } = options;
  const totalSteps = epochs * stepsPerEpoch;
  const bar = startProgress({ label: 'training', total: totalSteps, unit: 'steps', quiet });
  bar.update(firstStep);
  let notedAt = 0;
  let sentAt = 0;
  let valError: number | undefined;

  const send = (progress: Pick<ProgressMessage, 'epoch' | 'step' | 'loss' | 'imagesPerSecond'>) => {
    if (!process.connected) return;
    const message: ProgressMessage = { type: 'progress', totalSteps, valError, ...progress };
    process.send?.(message, () => {}); // the parent may be gone: the run notices by `disconnect`
  };

  return {
    step(progress, { epoch, rate, loss, error }) {
      const now = performance.now();
      if (steps && progress.step % steps.every === 0) {
        steps.append({ step: progress.step, epoch, learning_rate: rate, loss, error });
      }
      if (now - notedAt < noteEveryMs) return;
      notedAt = now;
      const done = progress.step - (epoch - 1) * stepsPerEpoch;
      const meanLoss = progress.loss / done;
      const meanError = (100 * progress.errors) / (done * imagesPerStep);
      const imagesPerSecond = (done * imagesPerStep) / progress.trainSeconds;
      const validated = valError === undefined ? '' : ` · val ${valError.toFixed(2)} %`;
      bar.update(
        progress.step,
        `epoch ${epoch}/${epochs} · loss ${meanLoss.toFixed(3)} · error ${meanError.toFixed(1)} %${validated} · ${imagesPerSecond.toFixed(0)} images/s`,
      );
      if (now - sentAt < messageEveryMs) return;
      sentAt = now;
      send({ epoch, step: progress.step, loss: meanLoss, imagesPerSecond });
    },
    evaluating(progress, images) {
      const now = performance.now();
      if (now - notedAt < noteEveryMs) return;
      notedAt = now;
      bar.update(progress.step, `evaluating · ${images} images`);
    },
    epoch(row) {
      valError = row.val_error;
      if (events) logEpoch(events, row);
      const { epoch, step, train_loss: loss, images_per_second: imagesPerSecond } = row;
      send({ epoch, step, loss, imagesPerSecond });
      bar.update(step, epochNote(row, epochs));
    },
    stop(note) {
      bar.stop(note);
    },
  };
}

function epochNote(row: CurveRow, epochs: number): string {
  const validated = row.val_error === undefined ? '' : ` · val ${row.val_error.toFixed(2)} %`;
  const trained = `loss ${row.train_loss.toFixed(3)} · error ${row.train_error.toFixed(1)} %`;
  return `epoch ${row.epoch}/${epochs} · ${trained}${validated} · ${row.images_per_second.toFixed(0)} images/s`;
}
