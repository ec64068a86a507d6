import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../errors.js';
import { type CifarVersion, cifar10, cifar100, cifar100Coarse } from './checksums.js';
import { readCifar } from './cifar.js';
import { readCifarFile } from './cifar-file.js';
import { locate } from './download/locate.js';
import { loadDataset, unknownDataset } from './index.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-cifar-'));
after(() => rm(folder, { recursive: true, force: true }));

/** CIFAR-10 with four records a file. */
const small: CifarVersion = {
  ...cifar10,
  records: Object.fromEntries(Object.keys(cifar10.records).map((file) => [file, 4])),
};

function records(file: number): Buffer {
  const content = Buffer.alloc(4 * 3073);
  for (let at = 0; at < content.length; at++) {
    const inRecord = at % 3073;
    content[at] = inRecord === 0 ? (file * 4 + at / 3073) % 10 : (inRecord * 7 + file * 13 + at) & 255;
  }
  return content;
}

async function smallFolder(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  const names = Object.keys(small.records);
  for (const [index, file] of names.entries()) await writeFile(join(path, file), records(index));
  return path;
}

const whole = { name: 'cifar10', validation: 'test', augment: true } as const;

test('planes become interleaved channels; labels and order are the files’', async () => {
  const data = await readCifar(small, await smallFolder('plain'), whole);
  assert.equal(data.train.count, 20);
  assert.equal(data.validation.count, 4);
  for (const index of [0, 3, 4, 19]) {
    const content = records(Math.floor(index / 4)).subarray((index % 4) * 3073);
    assert.equal(data.train.labels[index], content[0]);
    for (const [row, column, channel] of [
      [0, 0, 0],
      [0, 1, 2],
      [31, 31, 2],
      [17, 5, 1],
    ]) {
      assert.equal(
        data.train.images[index * 3072 + (row * 32 + column) * 3 + channel],
        content[1 + channel * 1024 + row * 32 + column],
      );
    }
  }
  assert.deepEqual([...data.validation.labels], [0, 1, 2, 3]);
});

test('the images of some classes alone, relabelled in the order that they are named in', async () => {
  const path = await smallFolder('classes');
  const data = await readCifar(small, path, { ...whole, classes: ['cat', 0, 'truck'] });
  assert.equal(data.classes, 3);
  // Labels run 0, 1, 2, … through the files' twenty records.
  assert.deepEqual([...data.train.labels], [1, 0, 2, 1, 0, 2]);
  const first = records(0).subarray(3 * 3073 + 1);
  assert.equal(data.train.images[3072 + 1], first[1024]);
  assert.deepEqual([...data.validation.labels], [1, 0]);
});

test('files that differ from the published ones are usable, and say so', async () => {
  const path = await smallFolder('unofficial');
  const data = await readCifar(small, path, whole);
  assert.equal(data.official, false);
  assert.equal(data.note, 'CIFAR-10 (files differ from the published ones)');
  assert.equal(data.checksums['test_batch.bin'], createHash('sha256').update(records(5)).digest('hex'));
  await writeFile(
    join(path, 'approximated-records.json'),
    '{"data_batch_1.bin": [0, 3], "test_batch.bin": [1]}',
  );
  assert.equal((await readCifar(small, path, whole)).note, 'CIFAR-10 (3 of 24 images JPEG-approximated)');
  for (const nonsense of [
    '',
    '[]',
    '{"data_batch_1.bin": 7}',
    '{"other.bin": [1]}',
    '{"test_batch.bin": [4]}',
  ]) {
    await writeFile(join(path, 'approximated-records.json'), nonsense);
    assert.equal(
      (await readCifar(small, path, whole)).note,
      'CIFAR-10 (files differ from the published ones)',
    );
  }
});

test('CIFAR-100: two labels a record, fine or coarse', async () => {
  const path = join(folder, 'hundred');
  await mkdir(path);
  const content = Buffer.alloc(2 * 3074, 7);
  content.set([19, 99], 0);
  content.set([3, 42], 3074);
  content[3074 + 2] = 250;
  await writeFile(join(path, 'train.bin'), content);
  await writeFile(join(path, 'test.bin'), content);
  const two = { 'train.bin': 2, 'test.bin': 2 };
  const fine = await readCifar({ ...cifar100, records: two }, path, whole);
  assert.equal(fine.classes, 100);
  assert.deepEqual([...fine.train.labels], [99, 42]);
  assert.deepEqual([...fine.train.images.subarray(3070, 3075)], [7, 7, 250, 7, 7]);
  const coarse = await readCifar({ ...cifar100Coarse, records: two }, path, whole);
  assert.deepEqual([...coarse.validation.labels], [19, 3]);
  content[0] = 20;
  await writeFile(join(path, 'test.bin'), content);
  await assert.rejects(
    readCifar({ ...cifar100Coarse, records: two }, path, whole),
    /label 20, expected one of 0 to 19/,
  );
});

test('files with the published checksums are official', async () => {
  const path = await smallFolder('official');
  const sha256 = Object.fromEntries(
    Object.keys(small.records).map((file, index) => [
      file,
      createHash('sha256').update(records(index)).digest('hex'),
    ]),
  );
  const data = await readCifar({ ...small, sha256 }, path, whole);
  assert.equal(data.official, true);
  assert.equal(data.note, undefined);
});

test('a file that is missing, a folder, too short or too long: path, what was expected, what was found', async () => {
  const path = await smallFolder('broken');
  const file = join(path, 'data_batch_3.bin');
  const problem = async () => {
    const error = await readCifar(small, path, whole).then(
      () => assert.fail('was read'),
      (reason) => reason,
    );
    assert.ok(error instanceof UserError, error);
    assert.equal(error.place, file);
    assert.equal(error.exitCode, 2);
    return error.message;
  };
  await truncate(file, 12_000);
  assert.equal(await problem(), 'truncated: expected 12,292 bytes, found 12,000');
  await writeFile(file, Buffer.alloc(20_000));
  assert.equal(await problem(), 'oversized: expected 12,292 bytes, found 20,000');
  // 1 TB, sparse: judged by its size, not read.
  await truncate(file, 10 ** 12);
  assert.equal(await problem(), 'oversized: expected 12,292 bytes, found 1,000,000,000,000');
  await rm(file);
  assert.equal(await problem(), 'missing data file');
  await mkdir(file);
  assert.equal(await problem(), 'not a file');
});

test('any bytes as a file of records: read, or one error that names the file', async () => {
  const path = join(folder, 'any');
  await mkdir(path);
  const tiny: CifarVersion = { ...cifar10, records: { 'data_batch_1.bin': 1 } };
  const file = join(path, 'data_batch_1.bin');
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.nat(9000), fc.constant(3073)),
      fc.integer({ min: 0, max: 255 }),
      fc.uint8Array({ maxLength: 50 }),
      async (size, label, start) => {
        const content = Buffer.alloc(size);
        content.set(start.subarray(0, size), 0);
        if (size > 0) content[0] = label;
        await writeFile(file, content);
        const result = await readCifarFile(tiny, path, 'data_batch_1.bin').catch((error) => error);
        if (size === 3073 && label <= 9) assert.deepEqual(result.records, content);
        else {
          assert.ok(result instanceof UserError, result);
          assert.equal(result.place, file);
          if (size === 3073)
            assert.match(result.message, new RegExp(`record 0 has label ${label}, expected one of 0 to 9`));
        }
      },
    ),
    { numRuns: Number(process.env.GNBENCH_FUZZ ?? 200) },
  );
});

test('a data set is looked for under --data, then $GNBENCH_DATA, then the cache', async () => {
  const { GNBENCH_CACHE, GNBENCH_DATA } = process.env;
  try {
    const make = async (place: string) => {
      await mkdir(join(folder, place, 'set'), { recursive: true });
      return join(folder, place);
    };
    process.env.GNBENCH_CACHE = join(folder, 'cache');
    process.env.GNBENCH_DATA = await make('environment');
    const option = await make('option');
    await make('cache/data');
    assert.equal(locate('set', option), join(option, 'set'));
    assert.equal(locate('set', join(option, 'set')), join(option, 'set'));
    assert.equal(locate('set'), join(folder, 'environment', 'set'));
    await rm(join(folder, 'environment', 'set'), { recursive: true });
    assert.equal(locate('set'), join(folder, 'cache', 'data', 'set'));
    assert.equal(locate('other'), undefined);
    assert.throws(() => locate('set', join(folder, 'nowhere')), UserError);
  } finally {
    delete process.env.GNBENCH_CACHE;
    delete process.env.GNBENCH_DATA;
    Object.assign(process.env, GNBENCH_CACHE && { GNBENCH_CACHE }, GNBENCH_DATA && { GNBENCH_DATA });
  }
});

test('an unknown data set: the valid names and the nearest one', () => {
  const { message, fix } = unknownDataset('cifar01');
  assert.match(message, /did you mean cifar10/);
  assert.match(fix ?? '', /synthetic/);
});

const real = process.env.GNBENCH_DATA ? locate(cifar10.folder) : undefined;
test('the real files: 50,000 and 10,000 images, each class as often as the other', {
  skip: real === undefined && 'set $GNBENCH_DATA to a folder that holds cifar-10-batches-bin',
}, async () => {
  const data = await loadDataset(whole, { quiet: true });
  for (const [split, each] of [
    [data.train, 5000],
    [data.validation, 1000],
  ] as const) {
    const counts = new Array(10).fill(0);
    for (const label of split.labels) counts[label]++;
    assert.deepEqual(counts, new Array(10).fill(each));
  }
  // The published statistics of the training images, which the recipe's mean and std are.
  for (let channel = 0; channel < 3; channel++) {
    let sum = 0;
    let squares = 0;
    for (let at = channel; at < data.train.images.length; at += 3) {
      sum += data.train.images[at];
      squares += data.train.images[at] ** 2;
    }
    const mean = sum / (data.train.count * 1024);
    assert.ok(Math.abs(mean - data.mean[channel]) < 0.1, `${mean}`);
    assert.ok(Math.abs(Math.sqrt(squares / (data.train.count * 1024) - mean ** 2) - data.std[channel]) < 0.2);
  }
  const subset = await loadDataset({ ...whole, trainSubset: 100, valSubset: 50 }, { quiet: true });
  assert.equal(subset.train.count, 100);
  assert.equal(subset.validation.images.length, 50 * 3072);
});
