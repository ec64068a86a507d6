/** Each image is of one class: softmax cross-entropy, top-1 and top-5 error. */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import type { Kernels } from '../engine/kernel-table.js';
import { tf } from '../engine/load.js';
import { softmaxCrossEntropy } from '../engine/ops/softmax-loss.js';
import { type Answer, answerOf, answersFile, printAnswers } from './answers.js';
import { averageViews } from './average-views.js';
import { classificationMeasures } from './metric.js';
import type { Evaluator, Task, Tensors } from './task.js';

export interface ClassificationOptions {
  /** The share of each training label that is spread over all classes. */
  labelSmoothing?: number;
  /** True to keep the answer to each example in the run's folder. */
  keepAnswers?: boolean;
}

export const classification = ({
  labelSmoothing = 0,
  keepAnswers = false,
}: ClassificationOptions = {}): Task => ({
  name: 'classification',
  ...classificationMeasures,
  targets: { labels: { shape: [], dtype: 'int32' } },
  training({ logits }, { labels }, { kernels }) {
    const { loss, errors } = crossEntropy(logits, labels, kernels);
    const smoothed = labelSmoothing === 0 ? loss : smooth(loss, logits as Tensor2D, labels, labelSmoothing);
    return { losses: { loss: smoothed }, counts: { error: errors } };
  },
  predictions: ({ logits }, { labels }, { kernels }): Tensors => ({
    logits,
    errors: crossEntropy(logits, labels, kernels).errors,
  }),
  evaluator: ({ views }) => averageViews(views, evaluator(keepAnswers)),
});

const crossEntropy = (logits: Tensor, labels: Tensor, kernels: Kernels) =>
  softmaxCrossEntropy(logits as Tensor2D, labels, kernels);

/**
 * The loss with labels of which a share is spread over all classes: that adds share · (logit of the label − mean
 * logit).
 */
function smooth(loss: Tensor, logits: Tensor2D, labels: Tensor, share: number): Tensor {
  const ofLabel = logits.mul(tf.oneHot(labels as Tensor1D, logits.shape[1])).sum(1);
  return loss.add(ofLabel.sub(logits.mean(1)).mean().mul(share));
}

/** Means over the examples: cross-entropy in nats, errors in percent; top-5 where there are more than five classes. */
function evaluator(keepAnswers: boolean): Evaluator {
  const answers: Answer[] = [];
  let done = 0;
  let loss = 0;
  let errors = 0;
  let top5Errors = 0;
  let classes = 0;
  return {
    add(predictions, { labels }, rows) {
      const logits = predictions.logits as Float32Array;
      classes = logits.length / rows;
      // One image after another in float64: the sum does not depend on how they are divided into batches.
      for (let row = 0; row < rows; row++) {
        loss += crossEntropyOf(logits, row * classes, classes, labels[row]);
        if (!keepAnswers) continue;
        answers.push(answerOf(logits.subarray(row * classes, (row + 1) * classes), done + row, labels[row]));
      }
      errors += predictions.errors[0];
      top5Errors += countBehind(5, logits, labels, classes);
      done += rows;
    },
    result() {
      const found = { loss: loss / done, error: (100 * errors) / done };
      // With five classes or fewer, every label is among the top five.
      return classes > 5 ? { ...found, top5Error: (100 * top5Errors) / done } : found;
    },
    ...(keepAnswers && { files: () => ({ [answersFile]: printAnswers(answers) }) }),
  };
}

/** −log softmax(logits)[label] of one image, in nats; not finite where its logits are not. */
function crossEntropyOf(logits: Float32Array, start: number, classes: number, label: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let at = start; at < start + classes; at++) largest = Math.max(largest, logits[at]);
  let sum = 0;
  for (let at = start; at < start + classes; at++) sum += Math.exp(logits[at] - largest);
  return Math.log(sum) + largest - logits[start + label];
}

/** Counts the images with `places` or more classes that have larger logits than their label's; NaN counts as larger. */
function countBehind(
  places: number,
  logits: Float32Array,
  labels: ArrayLike<number>,
  classes: number,
): number {
  let behind = 0;
  for (let image = 0; image * classes < logits.length; image++) {
    const start = image * classes;
    const own = logits[start + labels[image]];
    let larger = 0;
    for (let at = start; at < start + classes; at++) if (!(logits[at] <= own)) larger++;
    if (larger >= places) behind++;
  }
  return behind;
}
