/** How fast this machine multiplies and copies at the most, with the engine's threads: what a profile's rates are shares of. */
import { DataType } from '../engine/data-type.js';
import { backend, tf } from '../engine/load.js';
import { execute, ints, type } from '../engine/operation.js';
import type { Peaks } from './profile.js';

/** @param low products of bfloat16: some processors have instructions of their own for them */
export function measurePeaks(low: boolean): Peaks {
  const large = tf.ones([16 << 20]);
  const float = type('T', DataType.float);
  const copy = () => tf.dispose(execute('GnbenchRectifyGrad', [float], [large, large]));
  const gigabytes = (3 * 4 * (16 << 20)) / fastest(copy) / 1e9;
  large.dispose();
  return { gigaflops: productsASecond(low) / 1e9, gigabytes };
}

/** TensorFlow.js's tensors know no bfloat16, so the product's go past them. */
function productsASecond(low: boolean): number {
  const { binding } = backend;
  const ones = (shape: number[]) => {
    const data = new Float32Array(shape.reduce((all, size) => all * size, 1)).fill(1);
    return binding.createTensor(shape, DataType.float, data);
  };
  // Weights of 256 KB and 512 pixels of 1 KB: within the second-level cache of most processors.
  const [pixels, w] = [ones([2, 16, 16, 256]), ones([1, 1, 256, 256])];
  const casts = [type('SrcT', DataType.float), type('DstT', DataType.bfloat16)];
  const x = low ? binding.executeOp('Cast', casts, [pixels], 1)[0].id : pixels;
  const attributes = [type('T', low ? DataType.bfloat16 : DataType.float), ints('stride', 1)];
  const seconds = fastest(() => {
    for (const { id } of binding.executeOp('GnbenchConv', attributes, [x, w], 1)) binding.deleteTensor(id);
  });
  for (const id of new Set([pixels, w, x])) binding.deleteTensor(id);
  return (2 * 2 * 16 * 16 * 256 * 256) / seconds;
}

/** Seconds of the fastest of many calls: others on the machine only make it slower. */
function fastest(call: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + 300; performance.now() < end; ) {
    const before = performance.now();
    call();
    least = Math.min(least, performance.now() - before);
  }
  return least / 1000;
}
