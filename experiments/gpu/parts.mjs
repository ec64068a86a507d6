/** The parts of check.mjs. Each adds its rows as it finds them, and returns its line of summary. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { comparePair, compareTwice, parityCases } from './parity.mjs';
import { Finding, reasonOf } from './reason.mjs';

const run = promisify(execFile);
const gnbench = (root) => join(root, 'bin', 'gnbench.js');
const variantOf = (device) => (device === 'gpu' ? 'cuda' : 'cpu');

export async function describe({ root, device, signal, add }) {
  const { stdout } = await run(process.execPath, [gnbench(root), 'doctor', '--json'], { signal });
  const { checks } = JSON.parse(stdout);
  for (const { name, state, detail } of checks) {
    if (/^(device|gpu \d+|driver|cuda|engine|processor|memory \d+)$/.test(name))
      await add({ name, state, detail });
  }
  const used = checks.find(({ name }) => name === 'device').detail;
  if (device === 'gpu' && !used.startsWith('GPU')) {
    const why = checks.find(({ name, state }) => name === 'cuda' && state === 'missing');
    throw new Finding(`no GPU is used: ${why?.detail ?? used}`);
  }
  const [gpu] = checks.filter(({ name }) => /^gpu/.test(name));
  return gpu ? `${used}; ${gpu.detail}` : used;
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
      `engine.variant=${variantOf(device)}`,
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
    return spawn(process.execPath, args, { signal, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  try {
    const whole = start('whole');
    const killed = start('killed');
    whole.on('error', () => {});
    killed.on('error', () => {});
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

// --- Speed ---

/** In the order of their importance, so that what there is no time for is what matters least. */
function settings({ short, device }) {
  const precisions = device === 'gpu' ? ['float32', 'bfloat16', 'tf32'] : ['float32'];
  if (short) return [{ model: 'resnet20', normalizer: 'group', batch: 2, workers: 1, precision: 'float32' }];
  const of = (model, batches, formats, normalizers = ['batch', 'group']) =>
    formats.flatMap((precision) =>
      batches.flatMap(([workers, batch]) =>
        normalizers.map((normalizer) => ({ model, normalizer, batch, workers, precision })),
      ),
    );
  const asked = [
    [1, 2],
    [1, 128],
    [8, 2],
    [1, 32],
  ];
  return [
    ...of('resnet20', asked.slice(0, 2), precisions.slice(0, 1)),
    ...of('resnet50', [[8, 32]], precisions.slice(1)),
    ...of('resnet20', asked.slice(2), precisions.slice(0, 1)),
    ...of('resnet20', asked, precisions.slice(1)),
    ...of('resnet20', [...asked, [1, 4], [1, 8], [8, 4], [8, 8], [8, 32]], precisions, ['none']),
    ...of(
      'resnet20',
      [
        [1, 4],
        [1, 8],
        [8, 4],
        [8, 8],
        [8, 32],
      ],
      precisions,
    ),
  ];
}

/** gnbench and PyTorch in turn, setting by setting, on this card; one at a time, as XLA and cuDNN time their kernels too. */
export async function bench(context) {
  const list = settings(context);
  const peer = await openPeer(context);
  const ratios = [];
  const failures = [];
  /** Rows count as they come; what was ended because the time was over has not failed. */
  const keep = async (row) => {
    if (row.error && context.signal.aborted) return;
    if (row.error) failures.push(row);
    await context.add(row);
  };
  let measured = 0;
  for (const [index, setting] of list.entries()) {
    if (context.secondsLeft() < 20) break;
    const own = await attempt(setting, 'xla', context);
    await keep(own);
    // What XLA leaves out, gnbench's own kernels, beside it: at the sizes that tell most.
    if (index < 4) await keep(await attempt(setting, 'none', context));
    const others = peer ? await peer.measure(setting) : [];
    for (const row of others) await keep(row);
    if (own.error) continue;
    measured++;
    const best = Math.max(...others.map(({ imagesPerSecond = 0 }) => imagesPerSecond));
    if (best > 0) ratios.push(own.imagesPerSecond / best);
  }
  peer?.close();
  const parts = [`${measured} of ${list.length} settings`];
  const above = ratios.filter((ratio) => ratio >= 1.2).length;
  if (ratios.length > 0) parts.push(`at least 1.2 × PyTorch's best in ${above} of ${ratios.length}`);
  if (failures.length === 0) return parts.join('; ');
  const [{ framework, model, normalizer, images, precision, setting, error }] = failures;
  const count = failures.length === 1 ? '1 measurement' : `${failures.length} measurements`;
  const which = [framework, model, normalizer, images, precision, setting].join(' ');
  throw new Finding([...parts, `${count} failed, the first: ${which}: ${error}`].join('; '));
}

const attempt = (setting, compiler, context) =>
  measure(setting, compiler, context).catch((error) => ({
    framework: 'gnbench',
    ...setting,
    images: setting.batch * setting.workers,
    setting: compiler,
    error: reasonOf(error),
  }));

async function measure({ model, normalizer, batch, workers, precision }, compiler, { root, device, signal }) {
  const set = [`batch.workers=${workers}`, `engine.variant=${variantOf(device)}`];
  if (model === 'resnet20') set.push('model.shortcut=projection');
  set.push(`engine.compiler=${compiler}`);
  const args = ['--model', model, '--batch', batch, '--normalizer', normalizer, '--precision', precision];
  const flags = ['--steps', model === 'resnet50' ? 10 : 50, ...set.flatMap((one) => ['--set', one])];
  const command = [gnbench(root), 'bench', '--json', ...args, ...flags].map(String);
  const { stdout } = await run(process.execPath, command, { signal });
  const [row] = JSON.parse(stdout);
  return { framework: 'gnbench', ...row, images: batch * workers, setting: compiler };
}

/** PyTorch in one process, which takes seconds to start; undefined where there is none, or no GPU. */
async function openPeer({ root, python, device, signal, short }) {
  if (device !== 'gpu' && !short) return undefined;
  const script = join(root, 'experiments', 'gpu', 'pytorch_steps.py');
  const found = await run(python, ['-c', 'import torch, torchvision'], { signal }).catch(() => undefined);
  if (!found) return undefined;
  const child = spawn(python, [script], { signal, stdio: ['pipe', 'pipe', 'ignore'] });
  child.on('error', () => {});
  child.stdin.on('error', () => {}); // it has ended: its answer is missing, too
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kinds = device === 'gpu' ? ['graph', 'graph-channels-last', 'channels-last'] : ['eager'];
  return {
    async measure({ batch, workers, ...setting }) {
      const rows = [];
      for (const kind of kinds) {
        child.stdin.write(`${JSON.stringify({ ...setting, images: batch * workers, setting: kind })}\n`);
        const { value, done } = await lines.next();
        const none = { framework: 'pytorch', ...setting, setting: kind, error: 'its process has ended' };
        rows.push({ ...(done ? none : JSON.parse(value)), images: batch * workers, batch, workers });
        if (done) break;
      }
      return rows;
    },
    close: () => child.kill(),
  };
}

/** What of the GPU a training run uses, and how long it waits for data. */
export async function usage({ root, device, signal, add, short }) {
  const folder = await mkdtemp(join(tmpdir(), 'gnbench-gpu-'));
  const samples = [];
  const watch = device === 'gpu' ? watchGpu(samples, signal) : undefined;
  try {
    const set = [`engine.variant=${variantOf(device)}`, 'batch.size=128', `epochs=${short ? 1 : 4}`];
    const flags = set.flatMap((one) => ['--set', one]);
    const config = join(root, 'configs', 'quickstart.yaml');
    const args = [gnbench(root), 'train', config, ...flags, '--quiet', '--out', join(folder, 'run')];
    await run(process.execPath, args, { signal });
    const curves = (await readFile(join(folder, 'run', 'curves.csv'), 'utf8')).trim().split('\n');
    const column = curves[0].split(',').indexOf('images_per_second');
    const row = {
      imagesPerSecond: Number(curves.at(-1).split(',')[column]),
      files: await readdir(join(folder, 'run')),
    };
    const busy = samples.filter(({ utilization }) => utilization > 0);
    const most = (key) => (busy.length > 0 ? Math.max(...busy.map((sample) => sample[key])) : undefined);
    const measured = { ...row, utilizationMost: most('utilization'), memoryMostMB: most('memoryMB') };
    await add(measured);
    const gpu = busy.length > 0 ? `, GPU at most ${most('utilization')} % busy, ${most('memoryMB')} MB` : '';
    return `quickstart at 128 images a step: ${Math.round(row.imagesPerSecond)} images/s in its last epoch${gpu}`;
  } finally {
    watch?.kill();
    await rm(folder, { recursive: true, force: true });
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
