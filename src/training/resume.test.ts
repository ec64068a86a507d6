/**
 * Exact resume: a run that is stopped at any point and resumed ends with the curves and the variables, bit for bit,
 * of one that was never stopped.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseConfig } from '../config/load.js';
import type { Summary } from '../runs/summary.js';
import { type RunOutcome, readOutcome } from '../runs/testing/run-outcome.js';
import { run } from './run.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-resume-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
let count = 0;

const epochs = 2;
const stepsPerEpoch = 4;
const evaluationBatches = 2;
// The rate drops in mid-run, and the last 2 of the 18 images make no whole step.
const text = `
model: { name: resnet20 }
normalizer: { name: group, groups: 8 }
data: { name: synthetic, trainSubset: 18, valSubset: 20 }
batch: { size: 4 }
learningRate: { base: 0.1, per: 4, dropAt: [0.5] }
epochs: ${epochs}
evaluate: { batchSize: 10 }
log: { everySteps: 1, responses: [stage3.block2.conv1] }
engine: { intraOpThreads: 1, interOpThreads: 1 }
`;

/** One life of a run: it ends at the `stopAt`-th time that the loop asks whether to stop, by a stop or by a crash. */
async function live(
  folder: string,
  changes: string[],
  stopAt = Number.POSITIVE_INFINITY,
  end: 'stop' | 'crash' = 'stop',
  eager = false,
): Promise<{ summary?: Summary; resumedAt: number; asked: number }> {
  const config = parseConfig(text, { file: 'resume.yaml', overrides: changes });
  let asked = 0;
  let resumedAt = 0;
  const options = {
    out: folder,
    mode: 'resume' as const,
    eager,
    tensorboard: false,
    deterministic: false,
    quiet: true,
    debug: false,
    note: (message: string) => {
      resumedAt = Number(/resuming after step (\d+)/.exec(message)?.[1] ?? resumedAt);
    },
    stopRequested: () => {
      if (++asked < stopAt) return undefined;
      if (end === 'crash') throw new Crash();
      return { signal: 'SIGTERM' as const, exitCode: 143 as const };
    },
  };
  try {
    return { summary: await run(config, options), resumedAt, asked };
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return { resumedAt, asked };
  }
}

class Crash extends Error {}

const newFolder = () => join(scratch, String(count++));

async function undisturbed(changes: string[]): Promise<RunOutcome> {
  const folder = newFolder();
  const { summary, asked } = await live(folder, changes);
  assert.equal(summary?.status, 'completed');
  // After each step and after each evaluated batch: what the stops below count on.
  assert.equal(asked, epochs * (stepsPerEpoch + evaluationBatches));
  const outcome = await readOutcome(folder);
  assert.equal(outcome.curves.length, epochs);
  assert.equal(outcome.steps.length, epochs * stepsPerEpoch);
  assert.equal(outcome.responses.length, epochs);
  assert.ok(Object.keys(outcome.variables).length > 40);
  return outcome;
}

for (const changes of [
  [
    'normalizer={name: group, groups: 8, parts: {stem: {name: batch, momentum: 0.5}, stage2: batch-renorm}}',
    'optimizer={decay: {gamma: 0, beta: 0, bias: 0}, rates: {bias: 2, stage1: 0.1}}',
  ],
  ['normalizer={name: group, groups: 8}'],
  ['normalizer={name: batch}'],
  ['normalizer={name: batch}', 'batch.workers=2', 'batch.size=2'],
  ['normalizer={name: layer}'],
  ['normalizer={name: instance}'],
  ['normalizer={name: none}', 'learningRate.base=0.01'],
]) {
  test(`stopped four times in a row, ${changes.join(', ')}`, async () => {
    const expected = await undisturbed(changes);
    const folder = newFolder();
    // In mid-epoch; during evaluation; at the first step of the next epoch; at the last step of it.
    const stops = [2, 3, 3, 3, undefined];
    const lives = [];
    for (const stopAt of stops) lives.push(await live(folder, changes, stopAt));
    assert.deepEqual(
      lives.map(({ resumedAt }) => resumedAt),
      [0, 2, 4, 5, 8],
    );
    assert.deepEqual(
      lives.map(({ summary }) => summary?.status),
      [...Array(4).fill('interrupted'), 'completed'],
    );
    assert.deepEqual(await readOutcome(folder), expected);
    assert.ok(!fs.readdirSync(folder).some((name) => name.includes('dropped')));
  });
}

describe('crashed once, between the checkpoints of every third step and each epoch', () => {
  const saved = [0, 3, 4, 6, 8];
  const pointsAnEpoch = stepsPerEpoch + evaluationBatches;
  let expected: RunOutcome;
  before(async () => {
    expected = await undisturbed([]);
  });
  for (let point = 1; point <= epochs * pointsAnEpoch; point++) {
    const epoch = Math.floor((point - 1) / pointsAnEpoch);
    const step = epoch * stepsPerEpoch + Math.min(point - epoch * pointsAnEpoch, stepsPerEpoch);
    const evaluating = point > epoch * pointsAnEpoch + stepsPerEpoch;
    test(`after step ${step}${evaluating ? ', evaluating' : ''} (point ${point})`, async () => {
      const folder = newFolder();
      const changes = ['checkpoint.everySteps=3'];
      assert.equal((await live(folder, changes, point, 'crash')).summary, undefined);
      const { summary, resumedAt } = await live(folder, changes);
      assert.equal(summary?.status, 'completed');
      // The crash comes ahead of its own step's checkpoint, and of its epoch's row and checkpoint.
      assert.equal(resumedAt, saved.filter((at) => at < step).at(-1));
      assert.deepEqual(await readOutcome(folder), expected);
    });
  }
});

test('resumed, it refuses to compute convolutions another way than it began to', async () => {
  const winograd = ['engine.convolutions=winograd'];
  const [expected, direct] = [await undisturbed(winograd), await undisturbed([])];
  assert.notDeepEqual(expected.variables, direct.variables);
  const folder = newFolder();
  await live(folder, winograd, 3);
  await assert.rejects(live(folder, []), {
    message: /begun with winograd convolutions, and direct ones are asked for/,
    fix: /--set engine.convolutions=winograd/,
    exitCode: 2,
  });
  assert.equal((await live(folder, winograd)).resumedAt, 3);
  assert.deepEqual(await readOutcome(folder), expected);
});

test('resumed, it goes on operation by operation if it began so', async () => {
  const whole = newFolder();
  await live(whole, [], undefined, 'stop', true);
  const expected = await readOutcome(whole);
  assert.notDeepEqual(expected.variables, (await undisturbed([])).variables);
  const folder = newFolder();
  await live(folder, [], 3, 'stop', true);
  assert.equal((await live(folder, [])).resumedAt, 3);
  assert.deepEqual(await readOutcome(folder), expected);
});
