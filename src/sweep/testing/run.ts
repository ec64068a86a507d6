/**
 * Behaves like `gnbench run` towards a sweep, without an engine: the same arguments, files, messages, signals and exit
 * codes, with epochs of milliseconds. Its curves are a function of the config and the seed. Each epoch that it does is
 * told in `<out>.epochs`, so that a test sees what was done twice.
 *
 * `GNBENCH_FAKE` holds `{"stepMs": 5, "slow": {"gn": 500}, "does": {"bn-b2": "diverge"}}`: by the cell's name the
 * milliseconds of a step, and a deed in the second epoch.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { configId } from '../../config/identity.js';
import { loadConfig } from '../../config/load.js';
import { printConfig } from '../../config/print.js';
import { onStop } from '../../process/signals.js';
import { CurvesLog } from '../../runs/curves.js';
import { type Summary, writeSummary } from '../../runs/summary.js';
import { replaceFile } from '../../storage/files.js';
import { lockFolder } from '../../storage/lock.js';

/** `diverge-beside`: once another run has begun. */
type Deed = 'diverge' | 'diverge-beside' | 'crash' | 'memory' | 'killed' | 'refuse' | 'fail-once';

const stepsPerEpoch = 5;
const {
  stepMs = 5,
  slow = {},
  does = {},
} = JSON.parse(process.env.GNBENCH_FAKE ?? '{}') as {
  stepMs?: number;
  slow?: Record<string, number>;
  does?: Record<string, Deed>;
};
const stop = onStop();
/** Asked for, not listened for: the parent may have gone before a listener was there. */
const orphaned = () => process.send !== undefined && !process.connected;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    set: { type: 'string', multiple: true },
    data: { type: 'string' },
    'same-data-in': { type: 'string' },
    resume: { type: 'boolean' },
    quiet: { type: 'boolean' },
  },
});
const config = await loadConfig(positionals[0], values.set);
const out = values.out!;
const deed = does[config.name];
if (deed === 'refuse') {
  process.stderr.write('error: no such data\n');
  process.exit(2);
}

mkdirSync(out, { recursive: true });
const lock = await lockFolder(out);
replaceFile(join(out, 'config.yaml'), printConfig(config));
const state = join(out, 'checkpoint.json');
let step = 0;
try {
  step = JSON.parse(readFileSync(state, 'utf8')).step;
} catch {
  // A new run.
}
const begun = existsSync(join(out, 'curves.csv'));
const curves = CurvesLog.open(join(out, 'curves.csv'), begun ? { resumeAtStep: step } : {});
const totalSteps = config.epochs! * stepsPerEpoch;
save('running');

while (step < totalSteps) {
  if (stop.requested() || orphaned()) await end('interrupted', stop.requested()?.exitCode ?? 143);
  await sleep(slow[config.name] ?? stepMs);
  step++;
  const epoch = Math.ceil(step / stepsPerEpoch);
  if (step === stepsPerEpoch + 2) await misbehave();
  process.send?.(
    { type: 'progress', epoch, step, totalSteps, loss: 1 / step, imagesPerSecond: 100 },
    () => {},
  );
  if (step % stepsPerEpoch !== 0) continue;
  appendFileSync(`${out}.epochs`, `${epoch}\n`);
  curves.append({
    epoch,
    step,
    images: step * config.batch.size,
    learning_rate: config.learningRate.base,
    train_loss: made(epoch, 2),
    train_error: made(epoch, 60),
    val_loss: made(epoch, 2.5),
    val_error: made(epoch, 70),
    images_per_second: 100,
    seconds: performance.now() / 1000,
  });
  checkpoint();
}
await end('completed', 0);

/** Falls with the epoch, and differs by configuration and seed. */
function made(epoch: number, first: number): number {
  const noise = Number.parseInt(configId(config).slice(0, 4), 16) / 65_536;
  return (first + noise) / epoch;
}

function checkpoint(): void {
  replaceFile(state, JSON.stringify({ step }));
}

async function misbehave(): Promise<void> {
  if (deed === 'diverge-beside') while (othersBegun() === 0) await sleep(5);
  if (deed?.startsWith('diverge')) await end('diverged', 1);
  if (deed === 'memory') throw new Error('OOM when allocating tensor');
  if (deed === 'crash') process.abort();
  if (deed === 'killed') process.kill(process.pid, 'SIGKILL');
  if (deed !== 'fail-once') return;
  const mark = `${out}.failed`;
  let first = false;
  try {
    mkdirSync(mark);
    first = true;
  } catch {
    rmSync(mark, { recursive: true, force: true });
  }
  if (first) process.kill(process.pid, 'SIGKILL');
}

/** The other runs of the experiment, whose folders are `<cell>/<seed>`, that have a curve. */
function othersBegun(): number {
  const all = dirname(dirname(out));
  const begun = readdirSync(all, { recursive: true }).filter((path) => String(path).endsWith('curves.csv'));
  return begun.length - 1;
}

async function end(status: Summary['status'], exitCode: number): Promise<never> {
  checkpoint();
  save(status);
  curves.close();
  await lock.release();
  process.exit(exitCode);
}

function save(status: Summary['status']): void {
  const rows = curves.rows;
  const last = rows.at(-1)?.val_error ?? null;
  writeSummary(join(out, 'summary.json'), {
    version: 1,
    status,
    id: configId(config),
    name: config.name,
    seed: config.seed,
    parameters: 1,
    epochs: { done: rows.length, total: config.epochs! },
    steps: { done: step, total: totalSteps },
    learningRate: config.learningRate.base,
    batch: { size: config.batch.size, workers: config.batch.workers },
    valError: { final: last, medianLast5: last, best: last },
    trainError: { final: last },
    trainLoss: { final: last },
    imagesPerSecond: 100,
    secondsTotal: 1,
    dataWaitShare: 0,
    dataset: { name: config.data.name, official: true },
    ...(status === 'diverged' && { divergedAtStep: step }),
  });
}
