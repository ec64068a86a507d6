/**
 * Kills a running `gnbench run` with SIGKILL at seeded random moments, resuming each time, until it has been killed
 * `GNBENCH_STRESS` times (2 unless set); each run that ends must equal an undisturbed one bit for bit.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readOutcome } from '../runs/testing/run-outcome.js';

const kills = Number(process.env.GNBENCH_STRESS ?? 2);
const seed = Number(process.env.GNBENCH_STRESS_SEED ?? 1);
const commandLine = fileURLToPath(new URL('../cli.js', import.meta.url));

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-kill-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

// Checkpoints after every second step take about half of the time, so that half of the kills fall into one.
const config = join(scratch, 'kill.yaml');
fs.writeFileSync(
  config,
  `model: { name: resnet20 }
normalizer: { name: batch }
data: { name: synthetic, trainSubset: 200, valSubset: 100 }
batch: { size: 4, workers: 2 }
learningRate: { base: 0.1, per: 32, dropAt: [0.5] }
epochs: 4
evaluate: { batchSize: 50 }
checkpoint: { everySteps: 2 }
log: { everySteps: 1 }
engine: { intraOpThreads: 1, interOpThreads: 1 }
`,
);

/** mulberry32: a small seeded generator, uniform in [0, 1). */
function randomNumbers(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function start(folder: string) {
  const child = spawn(
    process.execPath,
    [commandLine, 'run', config, '--out', folder, '--resume', '--quiet'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal, errors: () => errors }));
  return { child, ended };
}

/** Waits until the run has begun to write checkpoints, or has ended. */
async function untilTraining(folder: string, ended: Promise<unknown>): Promise<void> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const before = checkpoints(folder).join();
  while (!over && checkpoints(folder).join() === before) await sleep(2);
}

function checkpoints(folder: string): string[] {
  try {
    return fs.readdirSync(join(folder, 'checkpoints'));
  } catch {
    return [];
  }
}

test(`killed ${kills} times, a run ends as if it had never been`, async (context) => {
  const reference = join(scratch, 'undisturbed');
  const begin = performance.now();
  const { ended } = start(reference);
  await untilTraining(reference, ended);
  const startUp = performance.now() - begin;
  const { code, errors } = await ended;
  assert.equal(code, 0, errors());
  const training = performance.now() - begin - startUp;
  const expected = await readOutcome(reference);
  assert.equal(expected.status, 'completed');
  assert.equal(expected.steps.length, 100);

  const random = randomNumbers(seed);
  let killed = 0;
  let inCheckpoint = 0;
  let completed = 0;
  for (let number = 0; killed < kills || completed === 0; number++) {
    const folder = join(scratch, `killed-${number}`);
    for (;;) {
      const { child, ended } = start(folder);
      if (killed < kills) {
        // One in four at any moment from the start on, the others while it trains.
        if (random() < 0.25) await Promise.race([ended, sleep(random() * (startUp + training))]);
        else {
          await untilTraining(folder, ended);
          await Promise.race([ended, sleep((random() * training) / 3)]);
        }
        child.kill('SIGKILL');
      }
      const { code, signal, errors } = await ended;
      if (signal === 'SIGKILL') {
        killed++;
        if (checkpoints(folder).some((name) => name.startsWith('.tmp-'))) inCheckpoint++;
        continue;
      }
      assert.equal(code, 0, errors());
      break;
    }
    assert.deepEqual(await readOutcome(folder), expected, `run ${number}`);
    completed++;
    fs.rmSync(folder, { recursive: true });
  }
  context.diagnostic(
    `${killed} kills (seed ${seed}), ${inCheckpoint} of them in a checkpoint; ${completed} runs ended, all equal to the undisturbed one`,
  );
});
