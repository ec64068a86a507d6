/** The process that `probeEngine` starts: loads the engine, convolves, prints what it is as one line of JSON. */
import { describeKernels, instructionSet } from './kernel-table.js';
import { type LoadOptions, loadEngine, tf } from './load.js';
import type { Probe } from './probe.js';

const options = JSON.parse(process.argv[2]) as LoadOptions;
const { variant, source, tensorflow, device } = await loadEngine(options);
const image = tf.ones<import('@tensorflow/tfjs-node-gpu').Rank.R4>([1, 4, 4, 3]);
const [sum] = tf
  .conv2d(image, tf.ones([3, 3, 3, 2]), 1, 'valid')
  .sum()
  .dataSync();
if (sum !== 2 * 2 * 2 * 27) throw new Error(`a convolution gave ${sum} instead of 216`);
const probe: Probe = {
  variant,
  source,
  tensorflow,
  device,
  kernels: describeKernels(),
  instructionSet: instructionSet(false),
};
process.stdout.write(`${JSON.stringify(probe)}\n`);
