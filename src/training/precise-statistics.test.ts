import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadDataset } from '../datasets/index.js';
import type { ImageFolderConfig } from '../datasets/schema.js';
import { imageFile } from '../datasets/testing/image-file.js';
import { sourceOf } from '../input/dataset-source.js';
import { statistic } from '../nn/normalizer.js';
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
    { step, variables: [], source, images: 250 },
    async () => {},
    async () => false,
  );
  assert.equal(taken, 250);
  assert.equal(labels.slice(0, 250).filter((label) => label === 0).length, 125);
});

test('each statistic is averaged as its variable says, whatever its name', async () => {
  const split = {
    count: 500,
    images: new Uint8Array(new SharedArrayBuffer(500 * 3)),
    labels: new Int32Array(new SharedArrayBuffer(500 * 4)),
  };
  const source = sourceOf({ shape: [1, 1, 3], mean: [], train: split, validation: split }, 'train');
  const batches = [
    [2, 10, 3, 7],
    [6, 20, 4, 8],
  ].map(([centre, width, root, other]) => ({ centre, width, root, other }));
  const step = () =>
    Object.fromEntries(
      Object.entries(batches.shift()!).map(([key, value]) => [`a.${key}`, Float32Array.of(value)]),
    );
  const written: Record<string, number> = {};
  await withPreciseStatistics(
    {
      read: () => ({}),
      write: (values) => {
        for (const [name, { data }] of Object.entries(values)) written[name] ??= data[0];
      },
    },
    {
      step,
      variables: [
        statistic('a', 'centre', 1, 0),
        statistic('a', 'width', 1, 1, { kind: 'variance', around: 'centre' }),
        statistic('a', 'root', 1, 1, { kind: 'deviation', around: 'centre' }),
        statistic('a', 'other', 1, 0),
      ],
      source,
      images: 500,
    },
    async () => {},
    async () => false,
  );
  // The two centres lie 2 from their mean, 4.
  assert.deepEqual(written, {
    'a.centre': 4,
    'a.width': 15 + 4,
    'a.root': Math.fround(Math.sqrt((9 + 16) / 2 + 4)),
    'a.other': 7.5,
  });
});
