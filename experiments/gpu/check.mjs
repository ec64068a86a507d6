/**
 * One command on a machine with a GPU: what is there, whether it computes right, and how fast.
 *
 *     node experiments/gpu/check.mjs --name h100 --minutes 5          # every part, the first ones first
 *     node experiments/gpu/check.mjs --name trial --device cpu --short # rehearses all of it without a GPU
 *     node experiments/gpu/check.mjs --name h100 --train --minutes 10  # trains instead: quickstart, then CIFAR-10
 *
 * Each part has a time limit; what it found is in results/bench/gpu-NAME.json (and .csv, .md) before the next begins. A
 * part that fails, or that there was no time for, is a line in the table as well; the exit code is 1 when one has failed.
 */
import { setMaxListeners } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bench } from './bench.mjs';
import { describe, determinism, parity, resume, usage } from './parts.mjs';
import { Finding, reasonOf } from './reason.mjs';
import { csv, markdown } from './table.mjs';
import { trainings } from './train.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'trial' },
    device: { type: 'string', default: 'gpu' },
    minutes: { type: 'string', default: '5' },
    python: { type: 'string', default: 'python3' },
    out: { type: 'string', default: join(root, 'results', 'bench') },
    parts: { type: 'string' },
    short: { type: 'boolean', default: false },
    train: { type: 'boolean', default: false },
  },
});

const began = performance.now();
const seconds = () => (performance.now() - began) / 1000;
const budget = 60 * Number(options.minutes);
const results = { name: options.name, device: options.device, short: options.short, parts: [] };

/** Name, share of the time that it may take, and what it does. The measurements get what the others leave. */
const checks = [
  ['doctor', 0.1, describe],
  ['parity', 0.3, parity],
  ['determinism', 0.15, determinism],
  ['resume', 0.2, resume],
  ['usage', 0.15, usage],
  ['bench', 1, bench],
];
const list = options.train ? trainings : checks;
const wanted = options.parts?.split(',');

for (const [name, share, part] of list) {
  if (wanted && !wanted.includes(name)) continue;
  const limit = Math.min(budget - seconds(), share * budget);
  const record = { part: name, state: 'left out: no time', seconds: 0, summary: '', rows: [] };
  results.parts.push(record);
  const start = seconds();
  if (limit > 5) await limited(record, part, limit);
  record.seconds = Number((seconds() - start).toFixed(1));
  await save();
  process.stdout.write(
    `${name.padEnd(12)} ${record.state.padEnd(10)} ${String(record.seconds).padStart(6)} s  ${record.summary}\n`,
  );
}
process.exitCode = results.parts.some(({ state }) => state === 'failed') ? 1 : 0;

/** Runs a part until its limit; rows count as soon as they are there. */
async function limited(record, part, limit) {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // a part has many children
  const timer = setTimeout(() => controller.abort(), 1000 * limit);
  const add = async (row) => {
    record.rows.push(row);
    await save();
  };
  const start = seconds();
  const context = {
    ...options,
    root,
    signal: controller.signal,
    add,
    secondsLeft: () => limit - (seconds() - start),
  };
  try {
    record.summary = await part(context);
    record.state = 'done';
  } catch (error) {
    const cut = controller.signal.aborted && !(error instanceof Finding);
    record.state = cut ? 'cut short' : 'failed';
    record.summary = cut ? `its ${Math.round(limit)} s were over` : reasonOf(error);
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

async function save() {
  const file = (extension) => join(options.out, `gpu-${options.name}.${extension}`);
  await mkdir(options.out, { recursive: true });
  await writeFile(file('json'), `${JSON.stringify(results, null, 1)}\n`);
  await writeFile(file('csv'), csv(results));
  await writeFile(file('md'), markdown(results));
}
