import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { parseConfig } from '../../config/load.js';
import { loadDataset } from '../../datasets/index.js';
import { knownSizes } from '../../datasets/known-sizes.js';
import { sharedArrays } from '../batch.js';
import { sourceOf } from '../dataset-source.js';
import { type Occasion, openSource } from '../example-source.js';

const root = mkdtempSync(join(tmpdir(), 'gnbench-moving-'));
process.env.GNBENCH_CACHE = join(root, 'cache');
after(() => rmSync(root, { recursive: true, force: true }));

const [frames, side, photographs] = [4, 16, 16];

/** Photographs of two classes, which do not matter: red grows from left to right, green from top to bottom. */
for (const split of ['train', 'val']) {
  for (let index = 0; index < photographs; index++) {
    const folder = join(root, split, index % 2 ? 'odd' : 'even');
    mkdirSync(folder, { recursive: true });
    const data = new Uint8Array(60 * 40 * 3);
    for (let at = 0; at < 60 * 40; at++) {
      data.set([40 + 3 * (at % 60), 40 + 4 * Math.floor(at / 60), 10 * index], at * 3);
    }
    await sharp(data, { raw: { width: 60, height: 40, channels: 3 } })
      .png()
      .toFile(join(folder, `${String(index).padStart(2, '0')}.png`));
  }
}

const config = (more = '') =>
  parseConfig(
    `model: i3d-resnet18\nnormalizer: gn\ndata: { name: motion-of-photographs, train: train, val: val, frames: ${frames}, side: ${side}${more} }\n`,
    { file: 'a.yaml' },
  ).data;

async function clip(split: 'train' | 'validation', example: number, occasion: Occasion, more = '') {
  const dataset = await loadDataset(config(more), { dataFolder: root, quiet: true });
  const source = await openSource(sourceOf(dataset, split));
  const into = sharedArrays(source.spec, 1);
  await source.write(into, 0, example, occasion);
  const size = side * side * 3;
  const images = into.images as Uint8Array;
  const shown = Array.from({ length: frames }, (_, frame) => images.slice(frame * size, (frame + 1) * size));
  const mean = (frame: number, channel: number) =>
    shown[frame].reduce((sum, value, at) => sum + (at % 3 === channel ? value : 0), 0) / (side * side);
  return { label: into.labels[0], shown, mean, dataset };
}
const evaluated = { view: 0 };
const trained = (epoch: number) => ({ view: 0, augment: { seed: 5, epoch } });

test('a photograph moves as its label says', async () => {
  const { dataset } = await clip('validation', 0, evaluated);
  assert.deepEqual([dataset.classes, dataset.classNames?.[1]], [8, 'left']);
  const known = knownSizes(config(), root);
  assert.deepEqual(known, {
    sizes: { train: 16, validation: 16 },
    classes: 8,
    shape: [frames, side, side, 3],
  });
  for (let example = 0; example < photographs; example++) {
    const { label, mean } = await clip('validation', example, evaluated);
    assert.equal(label, example % 8);
    // A motion to the right brings in pixels from further left, darker in red; one downwards, darker in green.
    const [red, green] = [0, 1].map((channel) => mean(frames - 1, channel) - mean(0, channel));
    if (label === 0) assert.ok(red < -5, `right ${red}`);
    if (label === 1) assert.ok(red > 5, `left ${red}`);
    if (label === 2) assert.ok(green < -5, `down ${green}`);
    if (label === 3) assert.ok(green > 5, `up ${green}`);
  }
});

test('in training a photograph moves in another way from epoch to epoch, and in the same one again', async () => {
  const labels = new Set<number>();
  for (let epoch = 1; epoch <= 8; epoch++) {
    const [one, again] = [await clip('train', 3, trained(epoch)), await clip('train', 3, trained(epoch))];
    assert.deepEqual(one.shown, again.shown);
    labels.add(one.label);
  }
  assert.equal(labels.size, 8);
  const [first, ninth] = [await clip('train', 3, trained(1)), await clip('train', 3, trained(9))];
  assert.equal(first.label, ninth.label);
  assert.notDeepEqual(first.shown, ninth.shown);
});

test('with two classes they are the motions that are named', async () => {
  const { label, mean, dataset } = await clip('validation', 0, evaluated, ', classes: [up, down]');
  assert.deepEqual([dataset.classes, dataset.validation.count], [2, 4]);
  const green = mean(frames - 1, 1) - mean(0, 1);
  assert.ok(label === 0 ? green > 5 : green < -5);
});

test('shuffled frames are the same frames in another order', async () => {
  let moved = 0;
  for (let example = 0; example < photographs; example++) {
    const [plain, mixed] = [
      await clip('validation', example, evaluated),
      await clip('validation', example, evaluated, ', frameOrder: shuffled'),
    ].map(({ shown }) => shown.map((frame) => Buffer.from(frame).toString('hex')));
    assert.equal(new Set([...plain, ...mixed]).size, new Set(plain).size);
    if (plain.join() !== mixed.join()) moved++;
  }
  assert.ok(moved >= 12, `${moved}`);
});

test('a broken photograph ends the run, or another takes its place', async () => {
  const broken = join(root, 'train', 'odd', 'zz.jpg');
  writeFileSync(broken, 'no picture');
  try {
    await assert.rejects(clip('train', 0, evaluated), /broken image/);
    const { dataset } = await clip('train', 0, evaluated, ', onBroken: skip');
    assert.equal(dataset.train.count, photographs);
  } finally {
    rmSync(broken);
  }
});
