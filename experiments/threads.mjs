/**
 * The measurement that the threads' planner (src/engine/threads.ts) rests on: ResNet-20 with GN by batch size, precision and the sizes of
 * TensorFlow's two pools; in each cell the pools in turn, `--rounds` times, and of the rounds the median. Writes
 * results/bench/threads.csv.
 *
 *     node experiments/threads.mjs
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'csv-stringify/sync';

const { values: options } = parseArgs({
  options: {
    batch: { type: 'string', default: '2,3,4,8,32,128' },
    precision: { type: 'string', default: 'float32,bfloat16' },
    rounds: { type: 'string', default: '3' },
  },
});
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cores = availableParallelism();
const pools = [
  { intraOp: 1, interOp: cores },
  { intraOp: cores, interOp: 1 },
  { intraOp: cores, interOp: cores },
];

function imagesPerSecond({ precision, batch, intraOp, interOp }) {
  const args = ['bench', '--json', '--quiet', '--normalizer', 'group', '--steps', '50'];
  args.push('--batch', batch, '--precision', precision, '--set', 'model.shortcut=projection');
  args.push('--set', `engine.intraOpThreads=${intraOp}`, '--set', `engine.interOpThreads=${interOp}`);
  const [row] = JSON.parse(execFileSync(process.execPath, [join(root, 'bin', 'gnbench.js'), ...args]));
  return row.imagesPerSecond;
}

const rows = [];
for (const precision of options.precision.split(',')) {
  for (const batch of options.batch.split(',')) {
    process.stderr.write(`${precision}, batch ${batch}\n`);
    const speeds = pools.map(() => []);
    for (let round = 1; round <= Number(options.rounds); round++) {
      pools.forEach((pool, index) => {
        speeds[index].push(imagesPerSecond({ precision, batch, ...pool }));
      });
    }
    pools.forEach((pool, index) => {
      const sorted = speeds[index].toSorted((a, b) => a - b);
      const speed = sorted[sorted.length >> 1].toFixed(0);
      rows.push({ processor: cpus()[0].model.trim(), precision, batch, ...pool, imagesPerSecond: speed });
    });
  }
}
const table = stringify(rows, { header: true });
writeFileSync(join(root, 'results', 'bench', 'threads.csv'), table);
process.stdout.write(table);
