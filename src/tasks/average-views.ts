/** Several views of an example, such as a video's clips and crops, are judged as one: by the mean of their softmax. */
import type { Evaluator } from './task.js';

/**
 * Hands the evaluator one row for each example: the logarithms of the mean probabilities, as logits. A batch may end
 * between the views of an example.
 */
export function averageViews(views: number, evaluator: Evaluator): Evaluator {
  if (views === 1) return evaluator;
  let mean = new Float64Array();
  let seen = 0;
  return {
    add(predictions, { labels }, rows) {
      const logits = predictions.logits as Float32Array;
      const classes = logits.length / rows;
      if (mean.length === 0) mean = new Float64Array(classes);
      for (let row = 0; row < rows; row++) {
        addSoftmax(mean, logits.subarray(row * classes, (row + 1) * classes), views);
        if (++seen % views > 0) continue;
        const label = labels[row];
        const wrong = mean.some((probability) => !(probability <= mean[label]));
        const whole = { logits: Float32Array.from(mean, Math.log), errors: Float32Array.of(wrong ? 1 : 0) };
        evaluator.add(whole, { labels: Int32Array.of(label) }, 1);
        mean.fill(0);
      }
    },
    result: () => evaluator.result(),
    files: evaluator.files,
  };
}

function addSoftmax(mean: Float64Array, logits: Float32Array, views: number): void {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  exponentials.forEach((value, at) => {
    mean[at] += value / sum / views;
  });
}
