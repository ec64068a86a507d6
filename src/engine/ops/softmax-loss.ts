import type { Tensor, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import { keepUntilStepEnds } from '../gradients.js';
import type { Kernels } from '../kernel-table.js';
import { differentiable, execute, type } from '../operation.js';

/**
 * Cross-entropy of softmax(logits), and how many examples it gets wrong.
 * @param logits `[N, classes]` @param labels `[N]`, int32
 * @returns the mean loss in nats and the count of wrong examples, both scalars
 */
export function softmaxCrossEntropy(
  logits: Tensor2D,
  labels: Tensor,
  kernels: Kernels,
): { loss: Tensor; errors: Tensor } {
  if (kernels.softmaxLoss) return customSoftmaxCrossEntropy(logits, labels);
  const losses = softmaxCrossEntropies(logits, labels);
  const wrong = logits.argMax(1).notEqual(labels);
  return { loss: losses.mean(), errors: wrong.cast('float32').sum() };
}

/** The cross-entropy of each example, in nats, `[N]`. */
export function softmaxCrossEntropies(logits: Tensor2D, labels: Tensor): Tensor {
  const types = [type('T', DataType.float), type('Tlabels', DataType.int32)];
  return differentiable(
    [logits],
    (input) => {
      const [perExample, derivative] = execute(
        'SparseSoftmaxCrossEntropyWithLogits',
        types,
        [input, labels],
        2,
      );
      return { value: perExample, saved: [derivative] };
    },
    (gradient, [derivative]) => [derivative.mul(gradient.expandDims(1))],
  );
}

function customSoftmaxCrossEntropy(logits: Tensor2D, labels: Tensor): { loss: Tensor; errors: Tensor } {
  let errors: Tensor | undefined;
  const loss = differentiable(
    [logits],
    (input) => {
      const [mean, wrong, derivative] = execute('GnbenchSoftmaxLoss', [], [input, labels], 3);
      errors = keepUntilStepEnds(wrong);
      return { value: mean, saved: [derivative] };
    },
    (gradient, [derivative]) => [derivative.mul(gradient)],
  );
  return { loss, errors: errors! };
}
