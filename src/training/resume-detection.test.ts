/** A detector's run that is stopped and resumed ends in the same bits: weights, curves and detections. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { parseConfig } from '../config/load.js';
import { readCurves } from '../runs/curves.js';
import { readSummary } from '../runs/summary.js';
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
batch: { size: 2 }
log: { everySteps: 1 }
engine: { intraOpThreads: 1, interOpThreads: 1 }
`;

const inEpochs = `
epochs: 2
evaluate: { batchSize: 2 }
learningRate: { base: 0.01, per: 2 }
`;

/** A life of the run, which ends when it asks for the `stopAt`-th time whether to stop. */
async function live(
  folder: string,
  data: string,
  stopAt = Number.POSITIVE_INFINITY,
  length = inEpochs,
): Promise<string> {
  let asked = 0;
  const config = parseConfig(`${text}${length}data: ${data}\n`, { file: 'detector.yaml' });
  const summary = await run(config, {
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

test('a training in steps is evaluated every so many steps, and goes on in the middle of a row and of an epoch', async () => {
  const data = '{ name: shapes, side: 64, trainImages: 9, valImages: 4 }';
  const [whole, parts, same] = ['steps', 'steps-parts', 'epochs'].map((name) => join(scratch, name));
  const steps = `
steps: 7
evaluate: { batchSize: 2, everySteps: 3 }
learningRate: { base: 0.01, per: 2, dropAt: [4, 6] }
`;
  assert.equal(await live(whole, data, undefined, steps), 'completed');
  for (const stopAt of [2, 3, 2]) assert.equal(await live(parts, data, stopAt, steps), 'interrupted');
  assert.equal(await live(parts, data, undefined, steps), 'completed');
  const outcome = await readOutcome(whole);
  assert.deepEqual(await readOutcome(parts), outcome);
  const rows = readCurves(join(whole, 'curves.csv'));
  assert.deepEqual(
    rows.map(({ epoch, step, images }) => [epoch, step, images]),
    [
      [1, 3, 6],
      [2, 6, 12],
      [2, 7, 14],
    ],
  );
  assert.ok(rows.every((row) => row.val_boxAP !== undefined));
  assert.deepEqual(
    rows.map(({ learning_rate }) => learning_rate),
    [0.01, 0.001, 0.0001],
  );
  const losses = (outcome.steps as { loss: number }[]).map(({ loss }) => loss);
  const mean = (from: number, to: number) =>
    losses.slice(from, to).reduce((sum, loss) => sum + loss, 0) / (to - from);
  for (const [row, from, to] of [
    [0, 0, 3],
    [1, 3, 6],
    [2, 6, 7],
  ]) {
    assert.ok(Math.abs(rows[row].train_loss - mean(from, to)) < 1e-6);
  }
  const { epochs } = readSummary(join(whole, 'summary.json'));
  assert.deepEqual(epochs, { done: 2, total: 2 });

  // Epochs see the same images in the same order.
  assert.equal(await live(same, data), 'completed');
  assert.deepEqual((await readOutcome(same)).steps.slice(0, 7), outcome.steps);
});

const detections = (folder: string) => fs.readFileSync(join(folder, 'detections.json'), 'utf8');

async function assertResumes(name: string, data: string): Promise<void> {
  const [whole, parts] = [join(scratch, `${name}-whole`), join(scratch, `${name}-parts`)];
  assert.equal(await live(whole, data), 'completed');
  assert.equal(await live(parts, data, 2), 'interrupted');
  assert.equal(await live(parts, data, 3), 'interrupted');
  assert.equal(await live(parts, data), 'completed');
  const [expected, found] = [await readOutcome(whole), await readOutcome(parts)];
  assert.equal(expected.curves.length, 2);
  assert.equal(expected.steps.length, 8);
  assert.deepEqual(found, expected);
  assert.equal(detections(parts), detections(whole));
  assert.ok(detections(whole).length > 100);
}

test('a detector, stopped in mid-epoch and while it is evaluated', () =>
  assertResumes('shapes', '{ name: shapes, side: 64, trainImages: 9, valImages: 4 }'));

test('a detector of images on a lying and an upright canvas, each of which has its step', async () => {
  await writeUprightAndLying(9);
  await assertResumes(
    'canvases',
    `{ name: coco, train: ${scratch}, val: ${scratch}, trainAnnotations: ${scratch}/all.json, valAnnotations: ${scratch}/all.json,
       shorterSide: 64, longerSide: 96, canvas: turned, mostObjects: 4 }`,
  );
  const found: { image_id: number; bbox: number[] }[] = JSON.parse(
    detections(join(scratch, 'canvases-whole')),
  );
  assert.ok(
    found.some(({ image_id }) => image_id % 2 === 0) && found.some(({ image_id }) => image_id % 2 === 1),
  );
  for (const { image_id, bbox } of found) {
    const [width, height] = sidesOf(image_id);
    assert.ok(
      bbox[0] + bbox[2] <= width + 1e-3 && bbox[1] + bbox[3] <= height + 1e-3,
      `${image_id}: ${bbox}`,
    );
  }
});

/** Images with odd numbers lie. */
const sidesOf = (id: number) => (id % 2 === 1 ? [90, 60] : [60, 90]);

async function writeUprightAndLying(count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  for (const id of ids) {
    const [width, height] = sidesOf(id);
    const create = { width, height, channels: 3 as const, background: { r: 20 * id, g: 90, b: 60 } };
    await sharp({ create })
      .png()
      .toFile(join(scratch, `${id}.png`));
  }
  const instances = {
    categories: [{ id: 1, name: 'thing' }],
    images: ids.map((id) => ({
      id,
      file_name: `${id}.png`,
      width: sidesOf(id)[0],
      height: sidesOf(id)[1],
    })),
    annotations: ids.map((id) => ({
      id,
      image_id: id,
      category_id: 1,
      iscrowd: 0,
      area: 900,
      bbox: [id, 2 * id, 30, 30],
      segmentation: [[id, 2 * id, id + 30, 2 * id, id + 30, 2 * id + 30, id, 2 * id + 30]],
    })),
  };
  fs.writeFileSync(join(scratch, 'all.json'), JSON.stringify(instances));
}
