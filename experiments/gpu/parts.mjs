/** The parts of check.mjs. Each adds its rows as it finds them, and returns its line of summary. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { comparePair, compareTwice, parityCases } from './parity.mjs';
import { Finding, reasonOf } from './reason.mjs';
import { trainUntil } from './train-until.mjs';

const run = promisify(execFile);
const gnbench = (root) => join(root, 'bin', 'gnbench.js');

export async function describe({ root, device, signal, add }) {
  const asked = run(process.execPath, [gnbench(root), 'doctor', '--json'], { signal });
  // It ends with 1 where something is missing, and says on stdout what.
  const { stdout } = await asked.catch((error) => (error.stdout ? error : Promise.reject(error)));
  const { checks } = JSON.parse(stdout);
  for (const { name, state, detail } of checks) {
    if (/^(device|gpu \d+|driver|cuda|engine|processor|memory \d+)$/.test(name))
      await add({ name, state, detail });
  }
  const check = (wanted) => checks.find(({ name }) => name === wanted);
  const used = check('device');
  const blocks = checks.find((one) => one.blocks) ?? (used ? undefined : check('engine'));
  if (blocks) throw new Finding(`${blocks.name}: ${blocks.detail}: ${blocks.fix}`);
  if (device === 'gpu' && !used.detail.startsWith('GPU')) {
    const why = checks.find(({ name, state }) => name === 'cuda' && state === 'missing');
    throw new Finding(`no GPU is used: ${why ? `${why.detail}: ${why.fix}` : used.detail}`);
  }
  const gpu = check('gpu 0');
  return gpu ? `${used.detail}; ${gpu.detail}` : used.detail;
}

export async function parity(context) {
  const cases = parityCases(context);
  const rows = [];
  const queue = [...cases];
  const worker = async () => {
    for (let next = queue.shift(); next && context.secondsLeft() > 10; next = queue.shift()) {
      // A case that ends in an error, as of a kernel that no GPU has run yet, leaves the others theirs.
      const row = await comparePair(next, context).catch((error) => ({ ...next, error: reasonOf(error) }));
      if (row.error && context.signal.aborted) return;
      rows.push(row);
      await context.add(row);
    }
  };
  await Promise.all(Array.from({ length: context.device === 'gpu' ? 7 : 1 }, worker));
  const compared = rows.filter(({ error }) => !error);
  const held = compared.filter(({ holds }) => holds).length;
  const parts = [`${held} of ${rows.length} cases hold (${cases.length} in all)`];
  if (compared.length > 0) {
    const worst = compared.reduce((a, b) => (a.oneUpdate / a.accepted > b.oneUpdate / b.accepted ? a : b));
    const { normalizer, precision, oneUpdate, accepted } = worst;
    parts.push(`the largest: ${normalizer}, ${precision}, ${oneUpdate.toExponential(1)} of ${accepted}`);
  }
  const broken = rows.find(({ error }) => error);
  if (broken)
    parts.push(`${broken.normalizer}, ${broken.precision}, ${broken.compiler ?? 'xla'}: ${broken.error}`);
  if (held < rows.length) throw new Finding(parts.join('; '));
  if (rows.length === 0) throw new Error('there was no time for a case');
  return parts.join('; ');
}

export async function determinism(context) {
  const rows = await Promise.all(
    [true, false].map((deterministic) => compareTwice({ ...context, deterministic })),
  );
  for (const row of rows) await context.add(row);
  const say = ({ sameBits }) => (sameBits ? 'the same bits twice' : 'other bits');
  const text = `with --deterministic ${say(rows[0])}, without ${say(rows[1])}`;
  if (!rows[0].sameBits) throw new Finding(text);
  return text;
}

/** A run that is killed in its second epoch and goes on, against one that is not. */
export async function resume({ root, device, signal, add, short }) {
  const folder = await mkdtemp(join(tmpdir(), 'gnbench-gpu-'));
  const start = (name, ...more) => {
    const set = [
      'epochs=3',
      `engine.variant=${device === 'gpu' ? 'cuda' : 'cpu'}`,
      'engine.compiler=xla',
      'data.trainSubset=512',
    ];
    if (short) set.push('batch.size=32');
    const flags = set.flatMap((one) => ['--set', one]);
    const config = join(root, 'configs', 'quickstart.yaml');
    const args = [
      gnbench(root),
      'train',
      config,
      ...flags,
      '--deterministic',
      '--quiet',
      '--out',
      join(folder, name),
      ...more,
    ];
    const child = spawn(process.execPath, args, { signal, stdio: ['ignore', 'ignore', 'pipe'] });
    child.on('error', () => {}); // the time is over, which `ended` tells as well
    return child;
  };
  try {
    const whole = start('whole');
    const killed = start('killed');
    const wholeEnded = ended(whole);
    const killedEnded = ended(killed);
    await rowsIn(join(folder, 'killed', 'curves.csv'), 1, signal, killedEnded);
    killed.kill('SIGKILL');
    await killedEnded;
    const { code, said } = await ended(start('killed', '--resume'));
    if (code !== 0) throw new Error(`it does not go on: ${reasonOf({ stderr: said, code })}`);
    const other = await wholeEnded;
    if (other.code !== 0)
      throw new Error(`the run beside it: ${reasonOf({ stderr: other.said, code: other.code })}`);
    const [a, b] = await Promise.all(['whole', 'killed'].map((name) => readRun(join(folder, name))));
    const row = { epochs: a.length, sameCurves: JSON.stringify(a) === JSON.stringify(b), last: a.at(-1) };
    await add(row);
    const text = `killed in epoch 2 and gone on with: ${row.sameCurves ? 'the same curves, to the last digit' : 'other curves'}`;
    if (!row.sameCurves) throw new Finding(`${text}: ${a.at(-1)} | ${b.at(-1)}`);
    return text;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ended(child) {
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said })));
}

async function rowsIn(file, count, signal, stopped) {
  let over;
  stopped.then((end) => (over = end));
  for (;;) {
    signal.throwIfAborted();
    if (over) throw new Error(`the run ended too early: ${reasonOf({ stderr: over.said, code: over.code })}`);
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text.trim().split('\n').length > count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The curves without what depends on the clock. */
async function readRun(folder) {
  const [head, ...rows] = (await readFile(join(folder, 'curves.csv'), 'utf8')).trim().split('\n');
  const timed = head.split(',').map((name) => /seconds|per_second/.test(name));
  return rows.map((row) =>
    row
      .split(',')
      .filter((_, i) => !timed[i])
      .join(','),
  );
}

/** The use that a training run makes of the GPU, and how long it waits for data. */
export async function usage(context) {
  const samples = [];
  const watch = context.device === 'gpu' ? watchGpu(samples, context.signal) : undefined;
  try {
    const set = ['batch.size=128', `epochs=${context.short ? 1 : 4}`];
    const { rows, summary } = await trainUntil('quickstart.yaml', set, context);
    const busy = samples.filter(({ utilization }) => utilization > 0);
    const most = (key) => (busy.length > 0 ? Math.max(...busy.map((sample) => sample[key])) : undefined);
    const imagesPerSecond = rows.at(-1).images_per_second;
    const waits = summary.dataWaitShare ?? undefined;
    await context.add({
      imagesPerSecond,
      dataWaitShare: waits,
      utilizationMost: most('utilization'),
      memoryMostMB: most('memoryMB'),
    });
    const parts = [
      `quickstart at 128 images a step: ${Math.round(imagesPerSecond)} images/s in its last epoch`,
    ];
    if (waits !== undefined) parts.push(`${(100 * waits).toFixed(1)} % of the time waiting for data`);
    if (busy.length > 0) parts.push(`GPU at most ${most('utilization')} % busy, ${most('memoryMB')} MB`);
    return parts.join(', ');
  } finally {
    watch?.kill();
  }
}

function watchGpu(samples, signal) {
  const query = ['--query-gpu=utilization.gpu,memory.used', '--format=csv,noheader,nounits', '-lms', '100'];
  const child = spawn('nvidia-smi', query, { signal, stdio: ['ignore', 'pipe', 'ignore'] });
  child.on('error', () => {});
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [utilization, memoryMB] = line.split(',').map(Number);
    samples.push({ utilization, memoryMB });
  });
  return child;
}
