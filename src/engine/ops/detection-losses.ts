/** The losses of a detector, element by element: what to sum and what to divide by is the head's. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { type Kernels, kernels } from '../kernel-table.js';
import { tf } from '../load.js';
import { differentiable, execute, floats, ints } from '../operation.js';
import { addAt, rowsAt } from './gather-rows.js';

/**
 * Smooth L1: d² / 2β where |d| < β, else |d| − β/2 (Girshick 2015, arXiv 1504.08083, eq. 3).
 * @param beta 0: |d| itself
 */
export function smoothL1(
  predicted: Tensor,
  target: Tensor,
  beta: number,
  use: Kernels = kernels('kernels'),
): Tensor {
  if (use.smoothL1) {
    return differentiable(
      [predicted],
      (input) => {
        const [value, slope] = execute('GnbenchSmoothL1', [floats('beta', beta)], [input, target], 2);
        return { value, saved: [slope] };
      },
      (gradient, [slope]) => [slope.mul(gradient)],
    );
  }
  return differentiable(
    [predicted],
    (input) => {
      const difference = input.sub(target);
      const size = difference.abs();
      if (beta === 0) return { value: size, saved: [difference] };
      const squared = size.minimum(beta);
      return { value: squared.mul(size.sub(squared.mul(0.5))).div(beta), saved: [difference] };
    },
    (gradient, [difference]) => {
      const slope = beta === 0 ? difference.sign() : difference.div(beta).maximum(-1).minimum(1);
      return [slope.mul(gradient)];
    },
  );
}

/** Cross-entropy of sigmoid(logits) in nats; targets are 0 to 1, and no gradient flows to them. */
export function binaryCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return differentiable(
    [logits],
    (x) => {
      // Each sign of the logit by itself: nothing overflows, and no large numbers are subtracted.
      const certain = x.relu().mul(tf.scalar(1).sub(targets)).add(x.neg().relu().mul(targets));
      return { value: x.abs().neg().exp().log1p().add(certain), saved: [x, targets] };
    },
    (gradient, [x, wanted]) => [x.sigmoid().sub(wanted).mul(gradient)],
  );
}

/**
 * Each row's channel of its own class: a mask head gives a mask for every class, and only the true one's is judged (He
 * et al. 2017, §3).
 *
 * @param maps `[R, H, W, C]` @param channel `[R]` int32 @returns `[R, H, W]`
 */
export function chosenChannel(maps: Tensor, channel: Tensor): Tensor {
  const [rows, height, width, channels] = maps.shape;
  const places = tf
    .range(0, rows * height * width, 1, 'int32')
    .mul(tf.scalar(channels, 'int32'))
    .reshape([rows, height * width])
    .add(channel.expandDims(1))
    .flatten();
  return differentiable(
    [maps],
    (input) => ({
      value: rowsAt(input.flatten(), places).reshape([rows, height, width]),
      saved: [places],
    }),
    (gradient, [kept]) => [
      addAt(gradient.flatten(), kept, rows * height * width * channels).reshape(maps.shape),
    ],
  );
}

/**
 * Cross-entropy of each row's chosen channel, `[R, H, W]`: `binaryCrossEntropy` of `chosenChannel`.
 * @param maps logits `[R, H, W, C]` @param channel `[R]` int32 @param targets `[R, H, W]`, 0 to 1
 */
export function chosenCrossEntropy(
  maps: Tensor,
  channel: Tensor,
  targets: Tensor,
  use: Kernels = kernels('kernels'),
): Tensor {
  if (!use.chosenCrossEntropy) return binaryCrossEntropy(chosenChannel(maps, channel), targets);
  const channels = maps.shape[3]!;
  return differentiable(
    [maps],
    (input) => {
      const [value, slope] = execute('GnbenchChosenCrossEntropy', [], [input, channel, targets], 2);
      return { value, saved: [slope, channel] };
    },
    (gradient, saved) =>
      execute('GnbenchChosenCrossEntropyGrad', [ints('channels', channels)], [gradient, ...saved]),
  );
}
