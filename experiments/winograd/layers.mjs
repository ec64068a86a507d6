/**
 * Convolutions of 3×3 in each layer of the networks, directly and by Winograd's filtering, a pass at a time: which of them
 * gain by it. Beyond the channels that the kernels transform (128·128), the 16 products that Winograd's filtering would
 * consist of are timed without its transforms: no time of it could be less.
 *
 *     node experiments/winograd/layers.mjs [--threads 2] [--milliseconds 150] [--out results/bench/winograd-layers.csv]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'csv-stringify/sync';
import { buildIfStale } from '../../bin/build.js';
import { machine } from '../peers/table.mjs';

await buildIfStale();
const { DataType } = await import('../../dist/engine/data-type.js');
const { instructionSet } = await import('../../dist/engine/kernel-table.js');
const engine = await import('../../dist/engine/load.js');
const { bools, execute, ints, type } = await import('../../dist/engine/operation.js');

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    milliseconds: { type: 'string', default: '150' },
    out: {
      type: 'string',
      default: join(
        fileURLToPath(new URL('../../', import.meta.url)),
        'results',
        'bench',
        'winograd-layers.csv',
      ),
    },
  },
});

/** Side of the square maps, and channels in and out; of a step with 16 images. */
const images = 16;
const layers = [
  ['CIFAR ResNets', 32, 16],
  ['CIFAR ResNets', 16, 32],
  ['CIFAR ResNets', 8, 64],
  ['ResNets at 64', 16, 64],
  ['ResNets at 64', 8, 128],
  ['ResNets at 64', 4, 256],
  ['ResNets at 64', 2, 512],
  ['VGG at 64', 64, 64],
  ['VGG at 64', 32, 128],
  ['VGG at 64', 16, 256],
  ['VGG at 64', 8, 512],
  ['ResNets at 224', 56, 64],
  ['ResNets at 224', 28, 128],
  ['ResNets at 224', 14, 256],
  ['ResNets at 224', 7, 512],
];
const mostTransformed = 128 * 128;

const threads = { intraOp: Number(options.threads), interOp: 1 };
await engine.loadEngine({ variant: 'cpu', threads, quiet: true });
const { tf } = engine;
const attributes = (winograd) => [type('T', DataType.float), ints('stride', 1), bools('winograd', winograd)];
const passes = {
  convolution: (x, w, _dy, winograd) => execute('GnbenchConv', attributes(winograd), [x, w]),
  'gradient of input': (x, w, dy, winograd) => {
    const size = [ints('height', x.shape[1]), ints('width', x.shape[2]), bools('has_addend', false)];
    return execute('GnbenchConvBackpropInput', [...attributes(winograd), ...size], [dy, w, tf.tensor1d([])]);
  },
  'gradient of filter': (x, w, dy, winograd) =>
    execute('GnbenchConvBackpropFilter', [...attributes(winograd), ints('kernel', w.shape[0])], [x, dy]),
};

/** Milliseconds of the fastest of many calls, of each in turn: others on the machine only make them slower. */
function fastest(calls) {
  const least = calls.map(() => Number.POSITIVE_INFINITY);
  for (const end = performance.now() + Number(options.milliseconds); performance.now() < end; ) {
    for (const [index, call] of calls.entries()) {
      const before = performance.now();
      tf.tidy(call);
      least[index] = Math.min(least[index], performance.now() - before);
    }
  }
  return least;
}

const draw = (...shape) => tf.randomNormal(shape);
const rows = [];
for (const [network, side, channels] of layers) {
  const [x, w, dy] = [
    [images, side, side],
    [3, 3, channels],
    [images, side, side],
  ].map((shape) => draw(...shape, channels));
  const transformed = channels * channels <= mostTransformed;
  const tiles = images * Math.ceil(side / 2) ** 2;
  const positions = Array.from({ length: transformed ? 0 : 16 }, () => [
    draw(1, tiles, 1, channels),
    draw(1, 1, channels, channels),
    draw(1, tiles, 1, channels),
  ]);
  for (const [pass, run] of Object.entries(passes)) {
    const other = transformed
      ? () => void run(x, w, dy, true)
      : () => positions.forEach((position) => void run(...position, false));
    const [direct, winograd] = fastest([() => void run(x, w, dy, false), other]);
    rows.push({
      network,
      side,
      channels,
      images,
      pass,
      directMs: direct.toFixed(3),
      winogradMs: transformed ? winograd.toFixed(3) : '',
      productsAloneMs: transformed ? '' : winograd.toFixed(3),
      gain: (direct / winograd).toFixed(2),
      threads: threads.intraOp,
      instructionSet: instructionSet(false),
      processor: machine(),
    });
  }
  tf.dispose([x, w, dy, positions]);
}
writeFileSync(options.out, stringify(rows, { header: true }));
process.stdout.write(stringify(rows, { header: true }));
