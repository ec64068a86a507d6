/**
 * gnbench and its peers on the same training step, in turn, on this machine:
 *
 *     python3 -m venv peers && peers/bin/pip install -r experiments/peers/requirements.txt
 *     node experiments/peers/compare.mjs --python peers/bin/python
 *
 * ResNet-20 with projection shortcuts on 32×32 images: forward, backward and SGD (Nesterov 0.9, weight decay 1e-4).
 * First every peer's every setting runs once, briefly (`--brief STEPS`), and each peer keeps its fastest two (`--finalists`)
 * for each normalizer, batch size and precision. Then, `--rounds` times, gnbench and those settings run one after the other, so that a machine that
 * changes its pace does so for all. Writes every measurement to results/bench/peers.csv and the table to peers.md.
 *
 * Compilers make the first part last an hour; it is kept in `--qualified FILE`, setting by setting, and gone on with.
 * `--rounds 0` ends after it.
 *
 * `deep.mjs` does the same for the networks that the paper is about.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { csv, markdown } from './table.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const cores = availableParallelism();
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    batch: { type: 'string', default: '2,4,8,32,128' },
    normalizer: { type: 'string', default: 'batch,group' },
    precision: { type: 'string', default: 'float32,bfloat16' },
    model: { type: 'string', default: 'resnet20' },
    resolution: { type: 'string', default: '224' },
    workers: { type: 'string', default: '1' },
    convolutions: { type: 'string', default: 'direct' },
    settings: { type: 'string', default: 'eager,channels-last,compile,compile-channels-last,graph,xla' },
    name: { type: 'string', default: 'peers' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '50' },
    brief: { type: 'string', default: '15' },
    finalists: { type: 'string', default: '2' },
    attempts: { type: 'string', default: '4' },
    peers: { type: 'string', default: 'pytorch,keras' },
    qualified: { type: 'string', default: join(root, 'results', 'runs', 'peers-qualified.json') },
    out: { type: 'string', default: join(root, 'results', 'bench') },
  },
});
/** The others are of photographs. */
const isCifar = options.model === 'resnet20';
const isOverClips = /^(i3d|c2d)-/.test(options.model);
const words = (text) => text.split(',');
/** The images of a whole step: a peer has no workers. */
const imagesAStep = words(options.batch).map((size) => String(Number(size) * Number(options.workers)));

/** Every setting of a peer: what is passed to its script. One thread is not tried where there are images for more. */
const settings = {
  pytorch: [cores, 1].flatMap((threads) =>
    ['eager', 'channels-last', 'compile', 'compile-channels-last'].map((setting) => ({ setting, threads })),
  ),
  keras: [
    { setting: 'graph', threads: cores, interop: 1 },
    { setting: 'graph', threads: 1, interop: cores },
    { setting: 'graph', threads: 1, interop: 1 },
    { setting: 'xla', threads: cores, interop: 1 },
  ],
};
const mostForOneThread = 8;
/** Long steps are warm after a few. */
const stepsOf = (steps) => ['--steps', steps, '--warmup', String(Math.min(10, Number(steps)))];
/** Keras is measured in float32 alone. */
const peersIn = (precision) =>
  words(options.peers).filter((peer) => peer !== 'keras' || precision === 'float32');

/** Runs a command that prints JSON, a row a line or one array, and gives the rows. */
async function rowsOf(command, args) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const errors = [];
  child.stderr.on('data', (chunk) => errors.push(chunk));
  const exit = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  const lines = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  const code = await exit;
  if (code !== 0)
    throw new Error(`${command} ${args.join(' ')} exited with ${code}\n${Buffer.concat(errors)}`);
  const text = lines.join('\n').trim();
  return text.startsWith('[') ? JSON.parse(text) : lines.filter(Boolean).map((line) => JSON.parse(line));
}

function runPeer(peer, { setting, threads, interop }, { batch, normalizer, precision }, more) {
  const args = [join(here, `${peer}_step.py`), '--setting', setting, '--threads', String(threads)];
  args.push('--model', options.model);
  if (!isCifar) args.push('--resolution', options.resolution);
  if (interop) args.push('--interop', String(interop));
  args.push('--batch', batch, '--normalizer', normalizer, '--precision', precision, ...more);
  process.stderr.write(
    `${peer} ${setting}, ${threads} threads, ${precision}, ${normalizer}, batch ${batch}\n`,
  );
  return rowsOf(options.python, args);
}

const canonical = { bn: 'batch', gn: 'group', ln: 'layer', in: 'instance' };

async function runGnbench(precision) {
  process.stderr.write(`gnbench, ${precision}\n`);
  const args = ['bench', '--json', '--batch', options.batch, '--normalizer', options.normalizer];
  args.push('--precision', precision, '--steps', options.steps, '--model', options.model);
  args.push('--set', `batch.workers=${options.workers}`, '--convolutions', options.convolutions);
  if (isOverClips) {
    args.push('--set', 'model.timeStrides={conv1: 1, pool1: 1, pool2: 2}');
    args.push('--set', `data={name: synthetic-video, frames: 8, side: ${options.resolution}}`);
  } else {
    args.push('--set', isCifar ? 'model.shortcut=projection' : `data.resolution=${options.resolution}`);
  }
  const rows = await rowsOf(process.execPath, [join(root, 'bin', 'gnbench.js'), ...args]);
  return rows.map(({ threads, ...row }) => ({
    ...row,
    batch: row.batch * row.workers,
    framework: 'gnbench',
    version,
    setting: row.convolutions,
    threads: threads.intraOp,
    interopThreads: threads.interOp,
    normalizer: canonical[row.normalizer] ?? row.normalizer,
  }));
}

/** The speeds of the peers' settings, by a setting's own name; they grow as they are measured. */
const qualified = JSON.parse(await readFile(options.qualified, 'utf8').catch(() => '{}'));

/** The images of the steps that a setting is measured with. */
function batchesOf({ threads, interop = 1 }) {
  const few = threads === 1 && interop === 1;
  return imagesAStep.filter((batch) => !few || Number(batch) <= mostForOneThread);
}

async function qualifySetting(peer, setting, precision) {
  const batches = batchesOf(setting);
  const cells = { batch: batches.join(), normalizer: options.normalizer, precision };
  const key = JSON.stringify([peer, setting, cells, ...(isCifar ? [] : [options.model, options.resolution])]);
  if (!qualified[key] && batches.length > 0) {
    qualified[key] = await runPeer(peer, setting, cells, ['--attempts', '1', ...stepsOf(options.brief)]);
    await mkdir(dirname(options.qualified), { recursive: true });
    await writeFile(options.qualified, JSON.stringify(qualified, null, 1));
  }
  return (qualified[key] ?? []).map((row) => ({ ...row, chosen: setting }));
}

/** The fastest settings of each peer in each cell, all where there are no more of them, and cells of one setting together: `[peer, setting, cells][]`. */
async function qualify(precision, measured) {
  const finalists = [];
  for (const peer of peersIn(precision)) {
    const rows = [];
    const tried = settings[peer].filter(
      (each) => words(options.settings).includes(each.setting) && batchesOf(each).length > 0,
    );
    if (tried.length <= Number(options.finalists)) {
      for (const normalizer of words(options.normalizer))
        for (const setting of tried)
          finalists.push({ peer, setting, normalizer, batch: batchesOf(setting).join(), precision });
      continue;
    }
    for (const setting of tried) rows.push(...(await qualifySetting(peer, setting, precision)));
    measured.push(...rows.map(({ chosen, ...row }) => ({ ...row, round: 0 })));
    for (const normalizer of words(options.normalizer)) {
      for (const batch of imagesAStep) {
        const cell = rows.filter((row) => row.normalizer === normalizer && String(row.batch) === batch);
        const ranked = cell.toSorted((a, b) => b.imagesPerSecond - a.imagesPerSecond);
        for (const { chosen: setting } of ranked.slice(0, Number(options.finalists))) {
          const same = finalists.find((f) => f.setting === setting && f.normalizer === normalizer);
          if (same) same.batch += `,${batch}`;
          else finalists.push({ peer, setting, normalizer, batch, precision });
        }
      }
    }
  }
  return finalists;
}

const measured = [];
for (const precision of words(options.precision)) {
  const finalists = await qualify(precision, measured);
  for (let round = 1; round <= Number(options.rounds); round++) {
    measured.push(...(await runGnbench(precision)).map((row) => ({ ...row, round })));
    for (const { peer, setting, ...cells } of finalists) {
      const rows = await runPeer(peer, setting, cells, [
        '--attempts',
        options.attempts,
        ...stepsOf(options.steps),
      ]);
      measured.push(...rows.map((row) => ({ ...row, round })));
    }
  }
}
if (Number(options.rounds) === 0) process.exit();
await mkdir(options.out, { recursive: true });
const parameters = new Set(measured.map((row) => `${row.normalizer}: ${row.parameters}`));
if (parameters.size > words(options.normalizer).length)
  throw new Error(`not the same layers, as the numbers of parameters say: ${[...parameters].join(', ')}`);
const table = markdown(measured, options);
await writeFile(join(options.out, `${options.name}.csv`), csv(measured));
await writeFile(join(options.out, `${options.name}.md`), table);
process.stdout.write(table);
