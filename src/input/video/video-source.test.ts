import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { parseConfig } from '../../config/load.js';
import { loadDataset } from '../../datasets/index.js';
import { sharedArrays } from '../batch.js';
import { sourceOf } from '../dataset-source.js';
import { openSource } from '../example-source.js';

const root = mkdtempSync(join(tmpdir(), 'gnbench-clips-'));
process.env.GNBENCH_CACHE = join(root, 'cache');
after(() => rmSync(root, { recursive: true, force: true }));

const [frames, side] = [4, 16];

/** A clip as a folder of frames: red tells the frame, green the class, blue left (0) from right (200). */
async function clip(split: string, name: string, label: number, count: number): Promise<void> {
  const folder = join(root, split, name);
  mkdirSync(folder, { recursive: true });
  for (let frame = 0; frame < count; frame++) {
    const data = new Uint8Array(40 * 24 * 3);
    for (let at = 0; at < 40 * 24; at++) data.set([10 * frame, 100 * label, at % 40 < 20 ? 0 : 200], at * 3);
    // Numbers without leading zeros: 10 comes behind 9.
    await sharp(data, { raw: { width: 40, height: 24, channels: 3 } })
      .png()
      .toFile(join(folder, `${frame}.png`));
  }
}
for (const split of ['train', 'val']) {
  await clip(split, 'a/one', 0, 12);
  await clip(split, 'b/two', 1, 3);
}

const config = (more = '') =>
  parseConfig(
    `model: i3d-resnet18\nnormalizer: gn\ndata: { name: video-folder, train: train, val: val, frames: ${frames}, interval: 2, resolution: ${side}, decodedCache: 0, views: { clips: 3, crops: 3 }${more} }\n`,
    { file: 'a.yaml' },
  ).data;
const load = (more?: string) => loadDataset(config(more), { dataFolder: root, quiet: true });

async function read(example: number, occasion: { view: number; augment?: { seed: number; epoch: number } }) {
  const described = sourceOf(await load(), occasion.augment ? 'train' : 'validation', { allViews: true });
  const source = await openSource(described);
  const into = sharedArrays(source.spec, 1);
  await source.write(into, 0, example, occasion);
  const pixel = (frame: number, column: number) => {
    const at = ((frame * side + 8) * side + column) * 3;
    return [...into.images.subarray(at, at + 3)];
  };
  const numbers = Array.from({ length: frames }, (_, frame) => Math.round(pixel(frame, 0)[0] / 10));
  return { label: into.labels[0], numbers, pixel, views: described.views };
}

test('the views of a video are clips from its beginning to its end, its squares from left to right', async () => {
  const left = await read(0, { view: 0 });
  assert.deepEqual([left.views, left.label, left.numbers], [9, 0, [0, 2, 4, 6]]);
  assert.deepEqual((await read(0, { view: 8 })).numbers, [4, 6, 8, 10]);
  // In the square on the left little is right of the middle; on the right, little is left of it.
  assert.equal(left.pixel(0, 8)[2], 0);
  assert.equal((await read(0, { view: 2 })).pixel(0, 8)[2], 200);
});

test('a video that is too short begins again, with the label of its folder', async () => {
  const { label, numbers, pixel } = await read(1, { view: 0 });
  assert.deepEqual([label, numbers, pixel(0, 0)[1]], [1, [0, 2, 1, 0], 100]);
});

test('in training all frames of a clip are flipped alike, and an epoch’s clip is the same again', async () => {
  let flipped = 0;
  for (let epoch = 1; epoch <= 12; epoch++) {
    const occasion = { view: 0, augment: { seed: 3, epoch } };
    const { pixel, numbers } = await read(0, occasion);
    const sides = Array.from(
      { length: frames },
      (_, frame) => pixel(frame, 0)[2] > pixel(frame, side - 1)[2],
    );
    assert.equal(new Set(sides).size, 1);
    if (sides[0]) flipped++;
    assert.deepEqual((await read(0, occasion)).numbers, numbers);
    assert.deepEqual(
      numbers.slice(1),
      [2, 4, 6].map((offset) => numbers[0] + offset),
    );
  }
  assert.ok(flipped > 1 && flipped < 11);
});

test('a clip without frames ends the run, or is left out', async () => {
  const empty = join(root, 'train', 'a', 'nothing');
  mkdirSync(empty);
  writeFileSync(join(empty, 'notes.txt'), '');
  try {
    await assert.rejects(load(), (error: Error & { place?: string }) => error.place === empty);
    assert.equal((await load(', onBroken: skip')).train.count, 2);
  } finally {
    rmSync(empty, { recursive: true });
  }
});

test('a frame that cannot be decoded ends the run, or its clip is left out', async () => {
  const folder = join(root, 'train', 'a', 'broken');
  await clip('train', 'a/broken', 0, 12);
  const broken = join(folder, '7.png');
  const sound = await load(', onBroken: skip');
  writeFileSync(broken, readFileSync(broken).subarray(0, 60));
  try {
    await assert.rejects(load(), (error: Error & { place?: string }) => error.place === broken);
    assert.equal((await load(', onBroken: skip')).train.count, 2);
    // Broken since the list was checked: in training another clip takes its place.
    const source = await openSource(sourceOf(sound, 'train'));
    const into = sharedArrays(source.spec, 1);
    const at = sound.train.files!.paths.indexOf(join('a', 'broken'));
    for (let epoch = 1; epoch <= 4; epoch++) {
      await source.write(into, 0, at, { view: 0, augment: { seed: 1, epoch } });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('frames of different sizes in a folder end the run with its path', async () => {
  const folder = join(root, 'val', 'a', 'one');
  const smaller = await sharp(join(folder, '4.png')).resize(20, 24).png().toBuffer();
  const frame = readFileSync(join(folder, '4.png'));
  writeFileSync(join(folder, '4.png'), smaller);
  try {
    const differ = (error: Error & { place?: string }) =>
      /frames differ in size/.test(error.message) && error.place === folder;
    await assert.rejects(read(0, { view: 0 }), differ);
  } finally {
    writeFileSync(join(folder, '4.png'), frame);
  }
});
