/**
 * Each drawn motion is another one played backwards. I3D tells the two apart; with its frames shuffled, C2D, which has
 * no kernel over time, cannot, though it is trained as long: nothing but the order of frames gives the answer away.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../config/load.js';
import { readCurves } from '../runs/curves.js';
import { run } from './run.js';

const scratch = mkdtempSync(join(tmpdir(), 'gnbench-pairs-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const task = fileURLToPath(new URL('testing/pair-task.js', import.meta.url));

/** How a network ends that was trained for 96 steps: the columns of its last epoch. */
async function trained(model: string, frameOrder: 'shown' | 'shuffled') {
  const text = `
model: { name: ${model}, dropout: 0, timeStrides: { conv1: 1, pool1: 1, pool2: 2 } }
normalizer: { name: group, groups: 32 }
data: { name: synthetic-video, frames: 8, side: 16, trainSubset: 256, valSubset: 256, frameOrder: ${frameOrder} }
task: { module: '${task}' }
batch: { size: 8 }
learningRate: { base: 0.02, per: 8, schedule: cosine, warmupEpochs: 1 }
epochs: 3
evaluate: { every: 3 }
engine: { intraOpThreads: 1, interOpThreads: 1 }
`;
  const out = join(scratch, `${model}-${frameOrder}`);
  const summary = await run(parseConfig(text, { file: 'pairs.yaml' }), {
    out,
    mode: 'new',
    eager: false,
    tensorboard: false,
    deterministic: false,
    quiet: true,
    debug: false,
    note: () => {},
    stopRequested: () => undefined,
  });
  assert.equal(summary.status, 'completed');
  return readCurves(join(out, 'curves.csv')).at(-1) as unknown as Record<string, number>;
}

test('I3D tells a motion from the same frames in reverse', async () => {
  const { val_rightWithin } = await trained('i3d-resnet18', 'shown');
  assert.ok(val_rightWithin >= 90, `${val_rightWithin} % right`);
});

test('C2D on shuffled frames does not, though it learns its training clips', async () => {
  const { val_rightWithin, train_error } = await trained('c2d-resnet18', 'shuffled');
  assert.ok(val_rightWithin <= 60, `${val_rightWithin} % right`);
  // Eight classes: a network that learns nothing is wrong about 87.5 % of them.
  assert.ok(train_error < 80, `${train_error} % of the training clips wrong`);
});
