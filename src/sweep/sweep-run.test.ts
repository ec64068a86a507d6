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

/** The rows in the curves of all runs. */
const epochsDone = ({ runs }: Experiment): number =>
  runs.reduce((sum, { folder }) => {
    const curves = join(folder, 'curves.csv');
    const rows = existsSync(curves) ? readFileSync(curves, 'utf8').split('\n').length - 2 : 0;
    return sum + Math.max(0, rows);
  }, 0);

test('killed with SIGKILL again and again, a sweep ends with the bytes of an undisturbed one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-sweep-run-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [calm, killed] = [join(folder, 'calm'), join(folder, 'killed')];
  const [undisturbed, disturbed] = [await experimentIn(calm), await experimentIn(killed)];
  assert.equal(await ended(start(calm)), 0);

  const epochs = disturbed.runs.length * 3;
  const kills = full ? 5 : 2;
  let struck = 0;
  for (let kill = 1; kill <= kills; kill++) {
    const child = start(killed);
    const end = ended(child);
    // By what is done, not by the clock, which says little on a busy machine; and then at some moment of the next epoch.
    const enough = Math.floor((0.6 * epochs * kill) / kills);
    while (child.exitCode === null && epochsDone(disturbed) < enough) await sleep(10);
    await sleep(200 * ((kill * 0.618) % 1));
    child.kill('SIGKILL');
    if ((await end) === null) struck++;
  }
  assert.ok(struck > 0, 'every sweep was over before it was killed');
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
