/** Sweeps of real runs; what a sweep does with them is tested in more depth, and faster, with runs of milliseconds. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { type Experiment, loadExperiment } from '../experiments/experiment.js';
import { readAttempts } from './attempts.js';
import { readStatus } from './status.js';

const gnbench = fileURLToPath(new URL('../../bin/gnbench.js', import.meta.url));
const full = process.env.GNBENCH_STRESS !== undefined;

const text = `name: tiny
title: tiny
base:
  model: resnet20
  data: { name: synthetic, trainSubset: 96, valSubset: 32 }
  batch: { size: 8 }
  learningRate: { per: 8 }
  epochs: 3
  checkpoint: { everySteps: 3 }
axes:
  normalizer: [batch, { name: group, groups: 8 }]
  learningRate.base: ${full ? '[0.1, 0.05]' : '[0.05]'}
seeds: ${full ? '[1, 2, 3]' : '[1, 2]'}
`;

function start(folder: string) {
  return spawn(
    process.execPath,
    [gnbench, 'sweep', join(folder, 'tiny', 'experiment.yaml'), '--jobs', '2', '--quiet'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
}

const ended = (child: ReturnType<typeof start>) =>
  new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));

async function experimentIn(folder: string): Promise<Experiment> {
  mkdirSync(join(folder, 'tiny'), { recursive: true });
  const file = join(folder, 'tiny', 'experiment.yaml');
  writeFileSync(file, text);
  return loadExperiment(file);
}

const times = new Set(['seconds', 'images_per_second']);

/** A CSV without its columns of time. */
function timeless(csv: string): string {
  const rows = parse(csv) as string[][];
  const kept = rows[0].map((name) => !times.has(name));
  return rows.map((row) => row.filter((_, column) => kept[column]).join(',')).join('\n');
}

const table = (folder: string, format: string) =>
  execFileSync(process.execPath, [gnbench, 'table', 'tiny/experiment.yaml', '--format', format], {
    cwd: folder,
    encoding: 'utf8',
  });

test('killed with SIGKILL again and again, a sweep ends with the bytes of an undisturbed one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-sweep-run-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [calm, killed] = [join(folder, 'calm'), join(folder, 'killed')];
  const [undisturbed, disturbed] = [await experimentIn(calm), await experimentIn(killed)];
  const since = performance.now();
  assert.equal(await ended(start(calm)), 0);
  const whole = performance.now() - since;

  const kills = full ? 5 : 2;
  for (let kill = 1; kill <= kills; kill++) {
    const child = start(killed);
    const end = ended(child);
    // Golden-ratio steps through the first 60 % of what an undisturbed sweep takes, in parts: it is not over before.
    await sleep((whole * 0.6 * (0.3 + ((kill * 0.618) % 1))) / kills);
    child.kill('SIGKILL');
    await end;
  }
  const open = (await readStatus(disturbed)).filter(({ state }) => state !== 'done');
  assert.ok(open.length > 0, 'it was over before the last kill');
  assert.equal(await ended(start(killed)), 0);

  for (const [index, run] of disturbed.runs.entries()) {
    const [mine, theirs] = [run.folder, undisturbed.runs[index].folder].map((path) =>
      timeless(readFileSync(join(path, 'curves.csv'), 'utf8')),
    );
    assert.equal(mine, theirs, `${run.cell.key} seed ${run.seed} differs`);
    // The file that rows of repeated epochs would have gone to.
    assert.ok(
      !existsSync(join(run.folder, 'curves.dropped.csv')),
      `${run.cell.key} seed ${run.seed} repeated an epoch`,
    );
  }
  for (const format of ['markdown', 'wide']) assert.equal(table(killed, format), table(calm, format));
  const starts = disturbed.runs.map((run) => readAttempts(run.folder).length);
  t.diagnostic(`${disturbed.runs.length} runs, ${kills} kills, starts per run: ${starts.join(' ')}`);
});
