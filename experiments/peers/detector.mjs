/**
 * A training step of Mask R-CNN, ResNet-50-FPN, one image of 512 × 512 pixels, beside torchvision's in each of its settings, in
 * turn, on this machine: time and peak memory of a process that does nothing else. The proposals are given, the same to both.
 * With `many` positives each has 512 regions, 128 of them objects'; with `few` the objects' own boxes are the only ones.
 * BN is frozen in the backbone, with a box head of two dense layers; or GN is everywhere, with one of four convolutions.
 *
 *   node experiments/peers/detector.mjs --python peers/bin/python [--rounds 3] [--steps 5] [--settings eager,channels-last]
 *
 * Goes on where it was stopped: what stands in the file of results (--out, results/bench/detector-step.csv) is not measured again.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { buildIfStale } from '../../bin/build.js';
import { machine } from './table.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '5' },
    settings: { type: 'string', default: 'eager,channels-last' },
    norms: { type: 'string', default: 'frozen-batch,group' },
    positives: { type: 'string', default: 'many,few' },
    out: { type: 'string', default: join(here, '..', '..', 'results', 'bench', 'detector-step.csv') },
  },
});
await buildIfStale();

const side = 512;
/** Knuth's linear congruential generator, 0 to 1. */
let state = 1;
const draw = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const objects = Array.from({ length: 20 }, () => {
  const [width, height] = [24 + 200 * draw() ** 2, 24 + 200 * draw() ** 2];
  const [left, top] = [draw() * (side - width), draw() * (side - height)];
  return [left, top, left + width, top + height];
});
const labels = objects.map((_, index) => 1 + ((index * 7) % 80));
/** Boxes with an overlap of at least 0.6 with an object. */
const near = Array.from({ length: 200 }, (_, index) => {
  const [left, top, right, bottom] = objects[index % objects.length];
  const moved = (edge, extent, most) => Math.min(most, Math.max(0, edge + (draw() - 0.5) * 0.12 * extent));
  return [
    moved(left, right - left, side),
    moved(top, bottom - top, side),
    moved(right, right - left, side),
    moved(bottom, bottom - top, side),
  ];
});
const overlap = (a, b) => {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / (area(a) + area(b) - width * height);
};
const far = [];
while (far.length < 800) {
  const [width, height] = [16 + 300 * draw() ** 2, 16 + 300 * draw() ** 2];
  const [left, top] = [draw() * (side - width), draw() * (side - height)];
  const box = [left, top, left + width, top + height];
  if (objects.every((object) => overlap(box, object) < 0.4)) far.push(box);
}
const proposals = { many: [...near, ...far], few: far };

const folder = mkdtempSync(join(tmpdir(), 'gnbench-detector-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const inputsOf = (positives) => {
  const file = join(folder, `${positives}.json`);
  const inputs = { side, classes: 80, boxes: objects, labels, proposals: proposals[positives] };
  writeFileSync(file, JSON.stringify(inputs));
  return file;
};

function measure(library, asked) {
  const own = library === 'gnbench';
  const script = join(here, own ? 'detector_step.mjs' : 'detector_step.py');
  const output = execFileSync(own ? process.execPath : options.python, [script, JSON.stringify(asked)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output.trim().split('\n').at(-1));
}

const columns = [
  'norm',
  'positives',
  'library',
  'setting',
  'round',
  'medianMs',
  'fastestMs',
  'peakMB',
  'parameters',
];
columns.push('steps', 'processor');
const rows = existsSync(options.out) ? parse(readFileSync(options.out), { columns: true }) : [];
const known = ({ norm, positives, library, setting, round }) =>
  rows.some(
    (row) =>
      row.norm === norm &&
      row.positives === positives &&
      row.library === library &&
      row.setting === setting &&
      Number(row.round) === round,
  );
mkdirSync(dirname(options.out), { recursive: true });
for (let round = 1; round <= Number(options.rounds); round++) {
  for (const norm of options.norms.split(',')) {
    for (const positives of options.positives.split(',')) {
      for (const setting of ['recorded', ...options.settings.split(',')]) {
        const library = setting === 'recorded' ? 'gnbench' : 'torchvision';
        const cell = { norm, positives, library, setting, round };
        if (known(cell)) continue;
        const steps = Number(options.steps);
        const { medianMs, fastestMs, peakMB, parameters } = measure(library, {
          norm,
          setting,
          steps,
          inputs: inputsOf(positives),
        });
        const numbers = {
          medianMs: medianMs.toFixed(1),
          fastestMs: fastestMs.toFixed(1),
          peakMB: peakMB.toFixed(0),
        };
        rows.push({ ...cell, ...numbers, parameters, steps, processor: machine() });
        writeFileSync(options.out, stringify(rows, { header: true, columns }));
        console.log(
          `${norm}, ${positives} positives, ${library} ${setting}: ${numbers.medianMs} ms, ${numbers.peakMB} MB`,
        );
      }
    }
  }
}

for (const norm of options.norms.split(',')) {
  for (const positives of options.positives.split(',')) {
    const own = rows.filter((row) => row.norm === norm && row.positives === positives);
    const median = (setting) => {
      const times = own.filter((row) => row.setting === setting).map((row) => Number(row.medianMs));
      return times.sort((a, b) => a - b)[times.length >> 1];
    };
    const theirs = options.settings.split(',').map((setting) => [setting, median(setting)]);
    const [fastest, time] = theirs.sort((a, b) => a[1] - b[1])[0];
    const peak = (library) =>
      Math.max(...own.filter((row) => row.library === library).map((row) => Number(row.peakMB)));
    console.log(
      `${norm}, ${positives} positives: ${(time / median('recorded')).toFixed(2)} times as fast as torchvision (${fastest}); peak memory ${peak('gnbench')} MB, torchvision's at least ${peak('torchvision')} MB`,
    );
  }
}
