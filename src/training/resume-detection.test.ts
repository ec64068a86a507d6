/** A detector's run that is stopped and resumed ends in the same bits: weights, curves and detections. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseConfig } from '../config/load.js';
import { readOutcome } from '../runs/testing/run-outcome.js';
import { run } from './run.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-resume-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const text = `
model:
  { name: mask-rcnn, backbone: resnet18, neckChannels: 16, headChannels: 16, denseUnits: 32, maskConvolutions: 1,
    anchors: { sizes: [8, 16, 32, 64, 128] },
    proposals: { perImage: 32, candidates: { train: 40, test: 30 }, kept: { train: 30, test: 20 } },
    regions: { perImage: 16 } }
normalizer: { name: group, groups: 8 }
data: { name: shapes, side: 64, trainImages: 9, valImages: 4 }
batch: { size: 2 }
learningRate: { base: 0.01, per: 2 }
epochs: 2
evaluate: { batchSize: 2 }
log: { everySteps: 1 }
engine: { intraOpThreads: 1, interOpThreads: 1 }
`;

/** A life of the run, which ends when it asks for the `stopAt`-th time whether to stop. */
async function live(folder: string, stopAt = Number.POSITIVE_INFINITY): Promise<string> {
  let asked = 0;
  const summary = await run(parseConfig(text, { file: 'detector.yaml' }), {
    out: folder,
    mode: 'resume',
    eager: false,
    tensorboard: false,
    deterministic: false,
    quiet: true,
    debug: false,
    note: () => {},
    stopRequested: () => (++asked < stopAt ? undefined : { signal: 'SIGTERM', exitCode: 143 }),
  });
  return summary.status;
}

const detections = (folder: string) => fs.readFileSync(join(folder, 'detections.json'), 'utf8');

test('a detector, stopped in mid-epoch and while it is evaluated', async () => {
  const [whole, parts] = [join(scratch, 'whole'), join(scratch, 'parts')];
  assert.equal(await live(whole), 'completed');
  assert.equal(await live(parts, 2), 'interrupted');
  assert.equal(await live(parts, 3), 'interrupted');
  assert.equal(await live(parts), 'completed');
  const [expected, found] = [await readOutcome(whole), await readOutcome(parts)];
  assert.equal(expected.curves.length, 2);
  assert.equal(expected.steps.length, 8);
  assert.deepEqual(found, expected);
  assert.equal(detections(parts), detections(whole));
  assert.ok(detections(whole).length > 100);
});
