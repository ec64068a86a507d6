/** How fast this machine multiplies and copies at the most, with the engine's threads: what a profile's rates are shares of. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../engine/data-type.js';
import { tf } from '../engine/load.js';
import { bools, execute, ints, type } from '../engine/operation.js';
import type { Peaks } from './profile.js';

/** @param low products of bfloat16: some processors have instructions of their own for them */
export function measurePeaks(low: boolean): Peaks {
  return tf.tidy(() => {
    const T = type('T', low ? DataType.bfloat16 : DataType.float);
    // Weights of 256 KB and 512 pixels of 1 KB: within the second-level cache of most processors.
    const pixels = tf.ones([2, 16, 16, 256]);
    const casts = [type('SrcT', DataType.float), type('DstT', DataType.bfloat16), bools('Truncate', false)];
    const x = low ? execute('Cast', casts, [pixels])[0] : pixels;
    const w = tf.ones([1, 1, 256, 256]);
    const flops = 2 * 2 * 16 * 16 * 256 * 256;
    const multiply = () => execute('GnbenchConv', [T, ints('stride', 1)], [x, w]);
    const large = tf.ones([16 << 20]);
    const float = type('T', DataType.float);
    const copy = () => execute('GnbenchRectifyGrad', [float], [large, large]);
    return {
      gigaflops: flops / fastest(multiply) / 1e9,
      gigabytes: (3 * 4 * (16 << 20)) / fastest(copy) / 1e9,
    };
  });
}

/** Seconds of the fastest of many calls: others on the machine only make it slower. */
function fastest(call: () => Tensor[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + 300; performance.now() < end; ) {
    const before = performance.now();
    for (const tensor of call()) tensor.dispose();
    least = Math.min(least, performance.now() - before);
  }
  return least / 1000;
}
