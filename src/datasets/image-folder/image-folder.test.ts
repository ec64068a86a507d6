import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../errors.js';
import type { Batch } from '../../input/batch.js';
import { openTrainBatches } from '../../input/batches.js';
import { centreCrop } from '../../input/crop.js';
import { sourceOf } from '../../input/dataset-source.js';
import { openEvaluationBatches } from '../../input/evaluation-batches.js';
import { loadDataset } from '../index.js';
import { knownSizes } from '../known-sizes.js';
import type { ImageFolderConfig } from '../schema.js';
import { imageFile } from '../testing/image-file.js';
import { soundImages } from './check.js';
import { decodeImage } from './decode.js';
import { listImages } from './list.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-images-'));
const savedCache = process.env.GNBENCH_CACHE;
process.env.GNBENCH_CACHE = join(folder, 'cache');
after(async () => {
  if (savedCache === undefined) delete process.env.GNBENCH_CACHE;
  else process.env.GNBENCH_CACHE = savedCache;
  await rm(folder, { recursive: true, force: true });
});

let made = 0;
/** train/ with three classes of four images, val/ with two each; the first class is JPEG. */
async function dataset(): Promise<ImageFolderConfig> {
  const root = join(folder, `set${made++}`);
  for (const [part, each] of [
    ['train', 4],
    ['val', 2],
  ] as const) {
    for (const [label, name] of ['bird', 'cat', 'dog'].entries()) {
      await mkdir(join(root, part, name), { recursive: true });
      for (let index = 0; index < each; index++) {
        const image = imageFile(label * 10 + index + (part === 'val' ? 50 : 0), 40 + index, 30 + label);
        await (label === 0 ? image.jpeg() : image.png()).toFile(
          join(root, part, name, `${index}.${label === 0 ? 'JPEG' : 'png'}`),
        );
      }
    }
  }
  return {
    name: 'image-folder',
    train: join(root, 'train'),
    val: join(root, 'val'),
    resolution: 16,
    colourJitter: 0.4,
    lighting: 0.1,
    onBroken: 'fail',
    decodedCache: 0,
    augment: true,
    validation: 'test',
  };
}

const refused = (config: ImageFolderConfig, place: string, message: RegExp) =>
  assert.rejects(loadDataset(config, { quiet: true }), (error: UserError) => {
    assert.ok(error instanceof UserError, String(error));
    assert.ok(error.place?.includes(place), `${error.place}`);
    assert.match(error.message, message);
    return true;
  });

test('some classes alone, whatever data.expect says of the whole', async () => {
  const config = { ...(await dataset()), expect: { classes: 3, train: 12, val: 6 } };
  const classes = ['dog', 'bird'];
  const data = await loadDataset({ ...config, classes } as ImageFolderConfig, { quiet: true });
  assert.deepEqual([data.classes, data.train.count, data.validation.count], [2, 8, 4]);
  assert.deepEqual([...data.train.labels], [1, 1, 1, 1, 0, 0, 0, 0]);
  assert.ok(data.train.files!.paths[0].startsWith('bird'));
  const planned = knownSizes({ ...config, classes } as never);
  assert.deepEqual([planned.classes, planned.sizes], [2, { train: 8, validation: 4 }]);
  await refused({ ...config, classes: ['dog', 'birdd'] }, 'data.classes', /did you mean bird/);
});

test('classes are the folders in order, images the image files in them', async () => {
  const config = await dataset();
  await writeFile(join(config.train, 'read me.txt'), '');
  await writeFile(join(config.train, 'cat', 'notes.txt'), '');
  const list = listImages(config.train, 'data.train');
  assert.deepEqual(list.classes, ['bird', 'cat', 'dog']);
  assert.deepEqual([...list.labels], [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  assert.equal(list.paths[4], join('cat', '0.png'));
  const data = await loadDataset({ ...config, trainSubset: 6 } as ImageFolderConfig, { quiet: true });
  assert.deepEqual(
    [data.classes, data.shape, data.train.count, data.validation.count],
    [3, [16, 16, 3], 6, 6],
  );
  assert.deepEqual([...data.train.labels].sort(), [0, 0, 1, 1, 2, 2]);
  const { note, official } = data;
  assert.deepEqual(
    [note?.replace(/set\d+/, 'set'), official],
    ['set (6 training and 6 validation images)', false],
  );
});

test('folders and classes that are missing, empty or different', async () => {
  const config = await dataset();
  await refused({ ...config, train: join(folder, 'nowhere') }, 'data.train', /no such folder/);
  await mkdir(join(folder, 'void'));
  await refused({ ...config, val: join(folder, 'void') }, 'data.val', /no class folders/);
  await refused(
    { ...config, expect: { classes: 3, train: 13, val: 6 } },
    'data.expect.train',
    /expected 13, found 12/,
  );
  await mkdir(join(config.train, 'eel'));
  await refused(config, 'data.train', /a class has no image: eel/);
  await imageFile(1)
    .png()
    .toFile(join(config.train, 'eel', 'a.png'));
  await refused(config, config.train, /only in data.train: eel/);
  await rm(join(config.val, 'cat'), { recursive: true });
  await refused(config, config.val, /only in data.train: cat, eel/);
});

test('a broken image: found before training starts; fatal, or left out and reported', async () => {
  const config = await dataset();
  const bad = join(config.train, 'cat', '1.png');
  await writeFile(bad, 'no picture');
  await refused(config, bad, /broken image: neither a JPEG nor a PNG file/);
  // The second time it is known from the note of the first.
  await refused(config, bad, /broken image/);
  const written: string[] = [];
  const { write } = process.stderr;
  process.stderr.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  try {
    const data = await loadDataset({ ...config, onBroken: 'skip' } as ImageFolderConfig, { quiet: true });
    assert.equal(data.train.count, 11);
    assert.ok(!data.train.files?.paths.includes(join('cat', '1.png')));
    assert.deepEqual([...data.train.labels], [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2]);
  } finally {
    process.stderr.write = write;
  }
  assert.match(written.join(''), new RegExp(`${bad}.*skipped`));
  await imageFile(5).png().toFile(bad);
  assert.equal((await loadDataset(config, { quiet: true })).train.count, 12, 'once mended it is back');
});

test('an image that cannot be read now is not left out, nor taken for broken later', async () => {
  const config = { ...(await dataset()), onBroken: 'skip' } as ImageFolderConfig;
  const list = listImages(config.train, 'data.train');
  const image = join(config.train, 'cat', '1.png');
  await rm(image);
  const cache = join(config.train, '..', 'cache');
  const options = { onBroken: 'skip', cacheBytes: 0, cache, quiet: true, onlyWhenFew: false } as const;
  await assert.rejects(soundImages(list, options), {
    message: /cannot be read: no such file or folder \(ENOENT\)/,
    place: image,
  });
  assert.ok(!existsSync(join(cache, 'checked')));

  await symlink(image, image);
  await refused(config, image, /cannot be read: a symbolic link .*\(ELOOP\)/);
});

const bytes = ({ images, labels }: Batch) =>
  Buffer.concat([images as Uint8Array, Buffer.from(Uint8Array.from(labels))]).toString('latin1');

test('batches are the same with a cache, without one, and in a resumed run', async () => {
  const config = await dataset();
  const options = { seed: 3, batchSize: 4, stepsPerEpoch: 3, totalSteps: 9, augment: true };
  const all = async (decodedCache: number, firstStep = 0, changes = {}) => {
    const data = await loadDataset({ ...config, decodedCache } as ImageFolderConfig, { quiet: true });
    const batches = openTrainBatches(sourceOf(data, 'train'), { ...options, firstStep, ...changes });
    const taken = Array.from({ length: 9 - firstStep }, () => bytes(batches.next()));
    assert.throws(() => batches.next(), RangeError);
    await batches.close();
    return taken;
  };
  const expected = await all(0);
  assert.equal(new Set(expected).size, 9);
  assert.deepEqual(await all(1), expected);
  assert.deepEqual(await all(1), expected);
  assert.deepEqual(await all(1, 4), expected.slice(4));
  assert.notDeepEqual(await all(0, 0, { seed: 4 }), expected);
});

test('evaluation shows every image once, in order, the last batch at its own size', async () => {
  const data = await loadDataset(await dataset(), { quiet: true });
  const labels: number[] = [];
  const counts: number[] = [];
  const images: Buffer[] = [];
  const batches = openEvaluationBatches(sourceOf(data, 'validation'), { batchSize: 4 });
  for (let next = batches.next(); next; next = batches.next()) {
    labels.push(...next.batch.labels);
    counts.push(next.rows);
    images.push(Buffer.from(next.batch.images));
  }
  await batches.close();
  assert.deepEqual(labels, [0, 0, 1, 1, 2, 2]);
  assert.deepEqual(counts, [4, 2]);
  const { root, paths } = data.validation.files!;
  const last = await centreCrop(await decodeImage(join(root, paths[5])), 16, 18);
  assert.deepEqual(images[1].subarray(768), Buffer.from(last.data));
});

test('evaluation of images in memory: the same, without a thread', async () => {
  const data = await loadDataset({ name: 'synthetic', validation: 'test', augment: true, valSubset: 25 });
  const batches = openEvaluationBatches(sourceOf(data, 'validation'), { batchSize: 10 });
  const counts = [];
  const images = [];
  for (let next = batches.next(); next; next = batches.next()) {
    counts.push(next.rows);
    images.push(next.batch.images as Uint8Array);
    assert.equal(next.batch.labels.length, next.rows);
  }
  assert.deepEqual(counts, [10, 10, 5]);
  assert.deepEqual(Buffer.concat(images), Buffer.from(data.validation.images));
});

test('an image that breaks during the run: the error reaches next, or another image takes its place', async () => {
  const config = await dataset();
  const data = await loadDataset(config, { quiet: true });
  const bad = join(config.train, 'dog', '2.png');
  await writeFile(bad, 'gone');
  const options = { seed: 1, batchSize: 12, firstStep: 0, stepsPerEpoch: 1, totalSteps: 1, augment: true };
  const failing = openTrainBatches(sourceOf(data, 'train'), options);
  assert.throws(
    () => failing.next(),
    (error: UserError) => error instanceof UserError && error.place === bad,
  );
  await failing.close();
  const skips = { ...data, decoding: { ...data.decoding!, onBroken: 'skip' as const } };
  const skipping = openTrainBatches(sourceOf(skips, 'train'), options);
  const { labels } = skipping.next();
  assert.deepEqual([...labels].sort(), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  await skipping.close();
  // A file that cannot be read may be sound: to go on without it would be another training.
  await rm(bad);
  const unread = openTrainBatches(sourceOf(skips, 'train'), options);
  assert.throws(() => unread.next(), {
    message: /cannot be read: no such file or folder \(ENOENT\)/,
    place: bad,
  });
  await unread.close();
});
