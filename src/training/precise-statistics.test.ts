import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadDataset } from '../datasets/index.js';
import type { ImageFolderConfig } from '../datasets/schema.js';
import { imageFile } from '../datasets/testing/image-file.js';
import { statisticsSource, withPreciseStatistics } from './precise-statistics.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-precise-'));
const saved = process.env.GNBENCH_CACHE;
process.env.GNBENCH_CACHE = join(folder, 'cache');
after(async () => {
  if (saved === undefined) delete process.env.GNBENCH_CACHE;
  else process.env.GNBENCH_CACHE = saved;
  await rm(folder, { recursive: true, force: true });
});

test('of image files, which lie class by class, as many of each class are taken', async () => {
  for (const [part, each] of [
    ['train', 150],
    ['val', 1],
  ] as const) {
    for (const [label, name] of ['bird', 'cat'].entries()) {
      const to = join(folder, part, name);
      await mkdir(to, { recursive: true });
      await imageFile(label, 20, 20).png().toFile(join(to, '0.png'));
      for (let copy = 1; copy < each; copy++) await copyFile(join(to, '0.png'), join(to, `${copy}.png`));
    }
  }
  const config = {
    name: 'image-folder',
    train: join(folder, 'train'),
    val: join(folder, 'val'),
    resolution: 16,
    colourJitter: 0,
    lighting: 0,
    onBroken: 'fail',
    decodedCache: 0,
    validation: 'test',
  } as ImageFolderConfig;
  const dataset = await loadDataset(config, { quiet: true });
  const source = statisticsSource(dataset);
  const { labels } = source.options as { labels: Int32Array };
  let taken = 0;
  const step = ({ images }: { images?: { length: number } }) => {
    taken += images!.length / (16 * 16 * 3);
    return {};
  };
  await withPreciseStatistics(
    { read: () => ({}), write: () => {} },
    { step, source, images: 250 },
    async () => {},
    async () => false,
  );
  assert.equal(taken, 250);
  assert.equal(labels.slice(0, 250).filter((label) => label === 0).length, 125);
});
