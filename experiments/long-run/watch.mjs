/**
 * Watches a run that goes on for long: its resident memory, open files, threads and what its folder takes on disk.
 *
 *     node bin/gnbench.js run configs/resnet-gn-b2.yaml --out results/runs/long &
 *     node experiments/long-run/watch.mjs --pid $! --folder results/runs/long --minutes 65
 *
 * Writes a row every half minute to results/long-run/NAME.csv (NAME: the folder's name, or --name) and prints how the
 * memory changed from the fifth minute on. Linux only, as it reads /proc. Ends early when the run does.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'csv-stringify/sync';

const { values: options } = parseArgs({
  options: {
    pid: { type: 'string' },
    folder: { type: 'string' },
    minutes: { type: 'string', default: '65' },
    seconds: { type: 'string', default: '30' },
    name: { type: 'string' },
    out: {
      type: 'string',
      default: join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'results', 'long-run'),
    },
  },
});
const { pid, folder } = options;
if (!pid || !folder) throw new Error('--pid and --folder are needed: see the head of this file');
const name = options.name ?? basename(folder);

/** A line of /proc/PID/status, as a number: kB, or a count. */
const status = (key) =>
  Number(new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

/** Bytes in a folder; files come and go while it is read. */
function sizeOf(path) {
  try {
    const entry = statSync(path);
    if (!entry.isDirectory()) return entry.size;
    return readdirSync(path).reduce((sum, child) => sum + sizeOf(join(path, child)), 0);
  } catch {
    return 0;
  }
}

const rows = [];
const started = Date.now();
const file = join(options.out, `${name}.csv`);
mkdirSync(options.out, { recursive: true });
while (Date.now() - started <= Number(options.minutes) * 60_000) {
  try {
    rows.push({
      minutes: ((Date.now() - started) / 60_000).toFixed(2),
      resident_mb: (status('VmRSS') / 1024).toFixed(1),
      open_files: readdirSync(`/proc/${pid}/fd`).length,
      threads: status('Threads'),
      folder_mb: (sizeOf(folder) / 2 ** 20).toFixed(2),
    });
  } catch {
    break; // it has ended
  }
  writeFileSync(file, stringify(rows, { header: true }));
  await sleep(Number(options.seconds) * 1000);
}

const settled = rows.filter(({ minutes }) => Number(minutes) >= 5);
if (settled.length > 0) {
  const memory = settled.map((row) => Number(row.resident_mb));
  const change = (100 * (memory.at(-1) - memory[0])) / memory[0];
  const range = (key) => [...new Set(settled.map((row) => row[key]))].sort((a, b) => a - b);
  process.stdout.write(
    `${name}: ${memory[0]} MB after 5 minutes, ${memory.at(-1)} MB after ${settled.at(-1).minutes} (${change.toFixed(2)} %), ` +
      `${Math.max(...memory)} MB at most; open files ${range('open_files').join(', ')}; threads ${range('threads').join(', ')}; ` +
      `folder ${settled.at(-1).folder_mb} MB\n`,
  );
}
