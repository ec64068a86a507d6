/**
 * gnbench beside PyTorch on the networks that the paper is about: `compare.mjs` for each network and resolution, 8 workers
 * of 2 and 4 images (16 and 32 to the peer), BN and GN. A step of 224×224 takes seconds, so few of them are measured. Clips
 * are of 8 frames, 2 on one worker, and all of PyTorch's settings are tried on them.
 *
 *     node experiments/peers/deep.mjs --python peers/bin/python [--only resnet18-64,…] [--earlier DIR]
 *
 * Begins where it was stopped: `--finished FILE` names what is done; remove it to measure all again. With `--earlier`, a
 * built checkout of an earlier version, ResNet-20's steps of both are timed in turn, and the peak memory of a step of
 * ResNet-50 with 16 images of 224×224 is compared, to earlier.csv.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'csv-stringify/sync';
import { machine } from './table.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    only: { type: 'string', default: '' },
    earlier: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    finished: { type: 'string', default: join(root, 'results', 'runs', 'deep-finished.json') },
    qualified: { type: 'string', default: join(root, 'results', 'runs', 'deep-qualified.json') },
    out: { type: 'string', default: join(root, 'results', 'bench') },
    // For a rehearsal: fewer images and steps.
    batch: { type: 'string' },
    steps: { type: 'string' },
    settings: { type: 'string' },
  },
});

const overClips = {
  resolution: 112,
  workers: 1,
  batch: '2',
  settings: 'eager,channels-last,compile,compile-channels-last',
};
/** What is measured: at 64×64 both of PyTorch's settings, at 224×224 the one that was faster in a brief first round. */
const both = 'direct,winograd';
const networks = {
  'resnet18-64': { model: 'resnet18', resolution: 64, convolutions: both, steps: 10 },
  'resnet50-64': { model: 'resnet50', resolution: 64, steps: 6 },
  'vgg16-64': { model: 'vgg16', resolution: 64, convolutions: both, steps: 3 },
  'resnet18-64-bfloat16': { model: 'resnet18', resolution: 64, precision: 'bfloat16', steps: 10 },
  'resnet50-64-bfloat16': { model: 'resnet50', resolution: 64, precision: 'bfloat16', steps: 6 },
  'resnet18-224': { model: 'resnet18', resolution: 224, convolutions: both, steps: 3, finalists: 1 },
  'resnet50-224': { model: 'resnet50', resolution: 224, steps: 3, finalists: 1 },
  'i3d-resnet18-112': { model: 'i3d-resnet18', steps: 10, ...overClips },
  'i3d-resnet50-112': { model: 'i3d-resnet50', steps: 6, ...overClips },
};

function compare(
  name,
  {
    model,
    resolution,
    steps,
    convolutions = 'direct',
    precision = 'float32',
    finalists = 2,
    workers = 8,
    batch = '2,4',
    settings = 'eager,channels-last',
  },
) {
  const args = [
    join(here, 'compare.mjs'),
    '--name',
    name,
    '--model',
    model,
    '--resolution',
    String(resolution),
  ];
  args.push(
    '--workers',
    String(workers),
    '--batch',
    options.batch ?? batch,
    '--precision',
    precision,
    '--convolutions',
    convolutions,
  );
  const tried = options.settings ?? settings;
  args.push('--peers', 'pytorch', '--settings', tried, '--finalists', String(finalists));
  args.push(
    '--rounds',
    options.rounds,
    '--steps',
    options.steps ?? String(steps),
    '--brief',
    '2',
    '--attempts',
    '1',
  );
  args.push('--python', options.python, '--qualified', options.qualified, '--out', options.out);
  execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
}

function bench(folder, ...args) {
  const script = join(resolve(folder), 'bin', 'gnbench.js');
  const output = execFileSync(process.execPath, [script, 'bench', '--json', '--quiet', ...args], {
    cwd: folder,
  });
  return JSON.parse(output).map((row) => ({
    ...row,
    threads: `${row.threads.intraOp}/${row.threads.interOp}`,
  }));
}

/** This version and an earlier one in turn: ResNet-20 at CIFAR's size, and the memory of ResNet-50. */
function compareEarlier(folder) {
  const rows = [];
  const add = (round, ...args) => {
    for (const [version, where] of [
      ['earlier', folder],
      ['this', root],
    ])
      for (const { stepMs, ...row } of bench(where, ...args))
        rows.push({ round, version, ...row, medianMs: stepMs.median, processor: machine() });
  };
  const small = ['--normalizer', 'batch,group', '--batch', '2,32', '--set', 'model.shortcut=projection'];
  for (let round = 1; round <= 2 * Number(options.rounds); round++)
    for (const precision of ['float32', 'bfloat16'])
      add(round, ...small, '--precision', precision, '--steps', options.steps ?? '50');
  add(
    1,
    '--model',
    'resnet50',
    '--normalizer',
    'group',
    '--batch',
    '2',
    '--set',
    'batch.workers=8',
    '--steps',
    '2',
  );
  const columns = ['version', 'round', 'model', 'normalizer', 'batch', 'workers', 'precision', 'threads'];
  columns.push('imagesPerSecond', 'medianMs', 'peakMemoryMB', 'processor');
  writeFileSync(join(options.out, 'earlier.csv'), stringify(rows, { header: true, columns }));
}

const only = options.only.split(',').filter(Boolean);
const jobs = Object.entries(networks).map(([name, network]) => [name, () => compare(name, network)]);
if (options.earlier) jobs.push(['earlier', () => compareEarlier(options.earlier)]);
let finished = [];
try {
  finished = JSON.parse(readFileSync(options.finished, 'utf8'));
} catch {
  // Nothing was measured yet.
}
mkdirSync(options.out, { recursive: true });
for (const [name, run] of jobs) {
  if (finished.includes(name) || (only.length > 0 && !only.includes(name))) continue;
  const began = performance.now();
  run();
  finished.push(name);
  mkdirSync(dirname(options.finished), { recursive: true });
  writeFileSync(options.finished, JSON.stringify(finished));
  process.stderr.write(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
}
