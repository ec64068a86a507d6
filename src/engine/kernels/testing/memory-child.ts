/**
 * Asks a kernel, on two threads, for more working memory than this process may have, and prints what becomes of it: for
 * failures.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { DataType } from '../../data-type.js';
import { loadEngine } from '../../load.js';
import { bools, floats, ints, type } from '../../operation.js';
import { runOp } from './direct.js';

await loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true });

/** Normalizes two images of one pixel each, whose working memory takes 36 bytes a channel on each thread. */
function normalize(channels: number): void {
  const shape = [2, channels];
  const vector = { shape: [channels], data: new Float32Array(channels) };
  const attributes = [
    type('T', DataType.float),
    ints('images_per_group', 1),
    ints('channels_per_group', channels),
    floats('epsilon', 1e-5),
    bools('relu', false),
    bools('has_residual', false),
  ];
  const none = { shape: [0], data: new Float32Array(0) };
  runOp(
    'GnbenchNormalize',
    attributes,
    [{ shape, data: new Float32Array(2 * channels) }, none, vector, vector],
    4,
  );
}

normalize(100_000);
const megabyte = 2 ** 20;
const used = Number(/VmSize:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
const limit = spawnSync('prlimit', ['--pid', String(process.pid), `--as=${used + 850 * megabyte}`]);
if (limit.status !== 0) throw new Error('prlimit does not work here');
try {
  normalize(16 * megabyte); // 600 MB of arrays and tensors, and another 600 MB on each of the two threads
  console.log('there was enough memory');
} catch (error) {
  console.log((error as Error).message);
}
normalize(100_000);
console.log('a smaller one works again');
