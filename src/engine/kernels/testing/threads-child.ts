/**
 * Runs the kernels on as many threads as the argument says and prints a sha256 of all they give: for threads.test.ts.
 */
import { createHash } from 'node:crypto';
import { DataType } from '../../data-type.js';
import { loadEngine } from '../../load.js';
import { bools, floats, ints, type } from '../../operation.js';
import { type Format, type Input, runOp, type Value } from './direct.js';

await loadEngine({ variant: 'cpu', threads: { intraOp: Number(process.argv[2]), interOp: 1 }, quiet: true });

const hash = createHash('sha256');
function run(...call: Parameters<typeof runOp>): Value[] {
  const results = runOp(...call);
  for (const { data } of results) hash.update(data);
  return results;
}

let step = 0;
/** The unit of the inputs: in the second one many values, and more products, are denormal numbers. */
let unit = 1;
function tensor(shape: number[], format: Format): Input {
  step += 1;
  const length = shape.reduce((a, b) => a * b, 1);
  return {
    shape,
    format,
    data: Float32Array.from({ length }, (_, i) => unit * (Math.sin(i * 0.37 + step) + 0.1)),
  };
}

for (unit of [1, 2 ** -126])
  for (const format of ['float', 'bfloat16'] satisfies Format[]) {
    const T = type('T', DataType[format]);
    const none = tensor([0], format);
    for (const shape of [
      [1, 64, 64, 64],
      [2, 32, 32, 16],
      [40, 16, 16, 32],
      [3, 56, 56, 64],
    ]) {
      const [x, dy] = [tensor(shape, format), tensor(shape, format)];
      const channels = shape[3];
      const [gamma, beta] = [tensor([channels], 'float'), tensor([channels], 'float')];
      for (const [images, perGroup] of [
        [1, 8],
        [shape[0], 1],
      ]) {
        const attributes = [
          T,
          ints('images_per_group', images),
          ints('channels_per_group', perGroup),
          floats('epsilon', 1e-5),
          bools('relu', true),
          bools('has_residual', false),
        ];
        const [y, mean, rstd] = run('GnbenchNormalize', attributes, [x, none, gamma, beta], 4);
        run('GnbenchNormalizeGrad', attributes, [dy, x, { ...y, format }, gamma, mean, rstd], 4);
      }
      const half = [ints('height', shape[1]), ints('width', shape[2]), ints('channels', channels)];
      run('GnbenchSubsample', [T, ints('stride', 2), ints('channels', 2 * channels)], [x], 1);
      const small = tensor([shape[0], shape[1] / 2, shape[2] / 2, 2 * channels], format);
      run('GnbenchSubsampleGrad', [T, ints('stride', 2), ...half], [small], 1);
      const [mean] = run('GnbenchGlobalAverage', [T], [x], 1);
      run('GnbenchGlobalAverageGrad', [T, ...half.slice(0, 2)], [mean], 1);
      run('GnbenchRectify', [T, bools('has_residual', false)], [x, none], 1);
      const w = tensor([3, 3, channels, channels], 'float');
      for (const winograd of [false, true]) {
        const common = [T, ints('stride', 1), bools('winograd', winograd)];
        run('GnbenchConv', common, [x, w], 1);
        run('GnbenchConvBackpropFilter', [...common, ints('kernel', 3)], [x, dy], 1);
        const size = [ints('height', shape[1]), ints('width', shape[2]), bools('has_addend', false)];
        run('GnbenchConvBackpropInput', [...common, ...size], [dy, w, none], 1);
      }
    }
  }

unit = 1;
/** Packed panels: few pixels, many, and images of three channels. */
for (const [images, side, channels, filters, kernel, stride] of [
  [16, 2, 512, 512, 3, 1],
  [5, 16, 128, 256, 3, 2],
  [2, 40, 64, 64, 3, 1],
  [2, 64, 3, 64, 7, 2],
  [3, 28, 128, 512, 1, 1],
]) {
  const out = Math.ceil(side / stride);
  const [x, dy] = [
    tensor([images, side, side, channels], 'float'),
    tensor([images, out, out, filters], 'float'),
  ];
  const w = tensor([kernel, kernel, channels, filters], 'float');
  const strides = ints('stride', stride);
  run('GnbenchConv', [strides], [x, w], 1);
  run('GnbenchConvBackpropFilter', [strides, ints('kernel', kernel)], [x, dy], 1);
  const size = [ints('height', side), ints('width', side), bools('has_addend', false)];
  if (channels > 3) run('GnbenchConvBackpropInput', [strides, ...size], [dy, w, tensor([0], 'float')], 1);
}
console.log(hash.digest('hex'));
