/**
 * Runs the kernels on as many threads as the argument says and prints a sha256 of all they give: for threads.test.ts.
 */
import { createHash } from 'node:crypto';
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../../data-type.js';
import { lossAndGradients } from '../../gradients.js';
import { loadEngine, tf } from '../../load.js';
import { bools, floats, ints, type } from '../../operation.js';
import { clippedBoxes } from '../../ops/box-coding.js';
import { maskTargets, matchBoxes, roiAlign, sampleMatches, suppress } from '../../ops/detection.js';
import { chosenCrossEntropy, smoothL1 } from '../../ops/detection-losses.js';
import { topOfLevels } from '../../ops/top-boxes.js';
import { type Format, type Input, runOp, type Value } from './direct.js';

await loadEngine({ variant: 'cpu', threads: { intraOp: Number(process.argv[2]), interOp: 1 }, quiet: true });

const hash = createHash('sha256');
function run(...call: Parameters<typeof runOp>): Value[] {
  const results = runOp(...call);
  for (const { data } of results) hash.update(data);
  return results;
}

function add(...tensors: Tensor[]): void {
  for (const tensor of tensors) hash.update(new Uint8Array(tensor.dataSync().slice().buffer));
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

/** Detection's operations: boxes that overlap, with ties among them, on maps of odd sizes. */
const int32 = (shape: number[], of: (i: number) => number) =>
  tf.tensor(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => of(i)),
    shape,
    'int32',
  );
const wave = (shape: number[], of: (i: number) => number = (i) => Math.sin(i * 0.37)) =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => of(i)),
    shape,
  );
const boxesOf = (count: number) =>
  wave([count, 4], (i) => ((Math.floor(i / 4) * 37) % 211) + (i % 4 < 2 ? 0 : 1 + ((i * 13) % 97)));
const boxes = boxesOf(700);
const [image, level] = [int32([700], (i) => i % 2), int32([700], (i) => (i % 3) - 1)];
const maps = [wave([2, 67, 71, 19]), wave([2, 33, 35, 19])];
for (const [sampling, aligned] of [
  [2, false],
  [0, true],
] as const) {
  const options = { boxes, image, level, scales: [1 / 4, 1 / 8], size: 7, sampling, aligned };
  const { value, gradients } = lossAndGradients(() => roiAlign(maps, options).square().sum(), maps);
  add(value, ...gradients, roiAlign(maps, options));
}
const candidates = boxesOf(3000).reshape([2, 1500, 4]);
const group = int32([2, 1500], (i) => i % 5);
const scores = wave([2, 1500], (i) => ((i * 37) % 64) / 64);
const { kept, valid } = suppress(candidates, scores, group, { threshold: 0.5, minScore: -1, limit: 600 });
const truth = boxesOf(60).reshape([2, 30, 4]);
const kind = int32([2, 30], (i) => (i % 11 === 0 ? 2 : 1));
const options = { low: 0.3, high: 0.7, bestOfEach: true, crowdOverlap: 0.7 };
const match = matchBoxes(candidates, truth, kind, options);
const sampled = sampleMatches(
  match,
  int32([2], (i) => i + 5),
  { count: 256, mostPositive: 128 },
);
const targets = maskTargets(
  int32([2, 640], () => 100),
  int32([2, 11], (i) => 64 * (i % 11)),
  {
    boxes,
    image,
    object: int32([700], (i) => (i % 11) - 1),
    size: 28,
    height: 80,
    width: 80,
    aligned: true,
  },
);
add(kept, valid, match, sampled.chosen, sampled.positives, sampled.total, targets);
const codes = wave([2, 1500, 4]);
const few = { boxes: candidates.slice([0, 0, 0], [2, 300, 4]), scores: scores.slice([0, 0], [2, 300]) };
const best = topOfLevels([{ boxes: candidates, scores }, few], { limit: 200, leastSide: 2 });
add(best.boxes, best.scores, best.group);
add(
  clippedBoxes(
    codes,
    candidates,
    [10, 10, 5, 5],
    wave([2, 2], () => 99),
  ),
);
const logits = wave([67, 28, 28, 19]);
for (const [loss, of] of [
  [() => smoothL1(codes, candidates, 1 / 9), codes],
  [
    () =>
      chosenCrossEntropy(
        logits,
        int32([67], (i) => i % 19),
        wave([67, 28, 28], (i) => (i % 9) / 8),
      ),
    logits,
  ],
] as const) {
  const { gradients } = lossAndGradients(() => loss().square().sum(), [of]);
  add(loss(), gradients[0]);
}
console.log(hash.digest('hex'));
