import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { UserError } from '../errors.js';
import type { PhotoConfig } from './dataset.js';
import { loadDataset, openEvaluationBatches, openTrainBatches } from './index.js';
import { PhotoCache } from './photo-cache.js';
import { centreCrop, randomAreaCrop } from './photo-crop.js';
import { decodePhoto, type Pixels } from './photo-decode.js';
import { listPhotos } from './photo-list.js';
import { Draws } from './random.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-photos-'));
const savedCache = process.env.GNBENCH_CACHE;
process.env.GNBENCH_CACHE = join(folder, 'cache');
after(async () => {
  if (savedCache === undefined) delete process.env.GNBENCH_CACHE;
  else process.env.GNBENCH_CACHE = savedCache;
  await rm(folder, { recursive: true, force: true });
});

const plain = (width: number, height: number, r: number, g: number, b: number) =>
  sharp({ create: { width, height, channels: 3, background: { r, g, b } } });

/** A photograph that differs in every pixel and from every other `seed`. */
function photo(seed: number, width = 40, height = 30) {
  const data = Buffer.alloc(width * height * 3);
  for (let at = 0; at < data.length; at++) data[at] = ((at * (seed + 3)) >> 2) & 255;
  return sharp(data, { raw: { width, height, channels: 3 } });
}

let made = 0;
/** train/ with three classes of four images, val/ with two each; the first class is JPEG. */
async function dataset(): Promise<PhotoConfig> {
  const root = join(folder, `set${made++}`);
  for (const [part, each] of [
    ['train', 4],
    ['val', 2],
  ] as const) {
    for (const [label, name] of ['bird', 'cat', 'dog'].entries()) {
      await mkdir(join(root, part, name), { recursive: true });
      for (let index = 0; index < each; index++) {
        const image = photo(label * 10 + index + (part === 'val' ? 50 : 0), 40 + index, 30 + label);
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
    validation: 'test',
  };
}

const refused = (config: PhotoConfig, place: string, message: RegExp) =>
  assert.rejects(loadDataset(config, { quiet: true }), (error: UserError) => {
    assert.ok(error instanceof UserError, String(error));
    assert.ok(error.place?.includes(place), `${error.place}`);
    assert.match(error.message, message);
    return true;
  });

const uniform = ({ data }: Pixels, expected: number[], within: number) => {
  for (let at = 0; at < data.length; at++) {
    assert.ok(
      Math.abs(data[at] - expected[at % 3]) <= within,
      `${data[at]} at ${at}, expected ${expected[at % 3]}`,
    );
  }
};

test('grey, 16-bit, transparent and CMYK images become 8-bit RGB; one pixel will do', async () => {
  const file = join(folder, 'image');
  const decoded = async (image: Sharp) => {
    await image.toFile(file);
    return decodePhoto(file);
  };
  uniform(await decoded(plain(5, 4, 200, 100, 50).png()), [200, 100, 50], 0);
  uniform(await decoded(plain(5, 4, 200, 100, 50).jpeg({ quality: 100 })), [200, 100, 50], 3);
  uniform(await decoded(plain(5, 4, 90, 90, 90).toColourspace('b-w').png()), [90, 90, 90], 1);
  uniform(await decoded(plain(5, 4, 200, 100, 50).toColourspace('rgb16').png()), [200, 100, 50], 1);
  uniform(await decoded(plain(5, 4, 200, 100, 50).ensureAlpha(0.5).png()), [200, 100, 50], 0);
  uniform(
    await decoded(plain(5, 4, 200, 100, 50).toColourspace('cmyk').jpeg({ quality: 100 })),
    [200, 100, 50],
    30,
  );
  assert.equal((await sharp(file).metadata()).space, 'cmyk');
  const one = await decoded(plain(1, 1, 10, 20, 30).png());
  assert.deepEqual([one.width, one.height, ...one.data], [1, 1, 10, 20, 30]);
  uniform(await centreCrop(one, 16, 18), [10, 20, 30], 0);
  uniform(await randomAreaCrop(one, 16, new Draws(1, 'photo')), [10, 20, 30], 0);
});

test('files that are no photograph: an error that names the file', async () => {
  const file = join(folder, 'image.png');
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
  for (const content of [
    '',
    'text',
    svg,
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 1, 2]),
    Buffer.from([0xff, 0xd8, 0xff]),
  ]) {
    await writeFile(file, content);
    await assert.rejects(
      decodePhoto(file),
      (error: UserError) => error instanceof UserError && error.place === file,
    );
  }
  await photo(1, 200, 200).jpeg().toFile(file);
  await truncate(file, Math.floor((await stat(file)).size / 2));
  await assert.rejects(decodePhoto(file), UserError);
  // A small file that claims to be 60,000 pixels wide and high.
  await plain(9, 9, 1, 2, 3).png().toFile(file);
  const bomb = await readFile(file);
  bomb.writeUInt32BE(60_000, 16);
  bomb.writeUInt32BE(60_000, 20);
  await writeFile(file, bomb);
  await assert.rejects(decodePhoto(file), UserError);
});

test('a photograph changed anywhere, or any bytes behind its first: decoded, or one error that names it', async () => {
  const file = join(folder, 'mutated');
  const sources = [await photo(1).jpeg().toBuffer(), await photo(1).png().toBuffer()];
  const change = fc.tuple(fc.nat(10_000), fc.integer({ min: 0, max: 255 }));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...sources),
      fc.array(change, { maxLength: 5 }),
      fc.nat(12_000),
      async (source, changes, length) => {
        const content = Buffer.from(source.subarray(0, length));
        for (const [at, value] of changes) if (content.length > 0) content[at % content.length] = value;
        await writeFile(file, content);
        const result = await decodePhoto(file).catch((error) => error);
        if (result instanceof UserError) assert.equal(result.place, file);
        else assert.equal(result.data.length, result.width * result.height * 3);
      },
    ),
    { numRuns: Number(process.env.GNBENCH_FUZZ ?? 200) },
  );
});

test('evaluation sees the centre of the image scaled to 256/224 of it', async () => {
  // Left half black, right half white, a grey border of one eighth on each side that the crop removes.
  const width = 64;
  const data = new Uint8Array(width * width * 3);
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++) {
      const border = Math.min(x, y, width - 1 - x, width - 1 - y) < 3;
      data.fill(border ? 128 : x < width / 2 ? 0 : 255, (y * width + x) * 3, (y * width + x + 1) * 3);
    }
  }
  const { data: crop } = await centreCrop({ data, width, height: width }, 56, 64);
  for (let y = 0; y < 56; y++) {
    assert.equal(crop[(y * 56 + 27) * 3], 0);
    assert.equal(crop[(y * 56 + 28) * 3], 255);
    assert.ok(crop[y * 56 * 3] === 0 && crop[(y * 56 + 55) * 3] === 255);
  }
});

test('a strip of one by a hundred thousand pixels is cropped without gigabytes', async () => {
  const strip = { data: new Uint8Array(300_000).fill(9), width: 100_000, height: 1 };
  uniform(await centreCrop(strip, 224, 256), [9, 9, 9], 0);
  uniform(await randomAreaCrop(strip, 224, new Draws(1, 'photo')), [9, 9, 9], 0);
});

test('random parts have 8 to 100 % of the area, both orientations, and lie anywhere', async () => {
  // Red rises from left to right, green from top to bottom: what a crop shows tells where it lies.
  const side = 200;
  const data = new Uint8Array(side * side * 3);
  for (let at = 0; at < side * side; at++) data.set([at % side, Math.floor(at / side), 0], at * 3);
  const areas = [];
  let wide = 0;
  for (let index = 0; index < 300; index++) {
    const crop = await randomAreaCrop(
      { data, width: side, height: side },
      32,
      new Draws(2, 'photo', 1, index),
    );
    const extent = (channel: number, from: number, to: number) =>
      ((crop.data[to * 3 + channel] - crop.data[from * 3 + channel]) * 32) / 31 / side;
    const width = extent(0, 0, 31);
    const height = extent(1, 0, 31 * 32);
    areas.push(width * height);
    wide += Number(width > height);
    assert.ok(width / height > 0.68 && width / height < 1.48, `aspect ${width / height}`);
  }
  assert.ok(Math.min(...areas) > 0.06 && Math.min(...areas) < 0.15, `least ${Math.min(...areas)}`);
  assert.ok(Math.max(...areas) > 0.8 && Math.max(...areas) < 1.05, `most ${Math.max(...areas)}`);
  assert.ok(wide > 100 && wide < 200, `${wide} of 300 are wide`);
});

test('the decoded cache: the same pixels, bounded, and what is damaged is decoded anew', async () => {
  const cache = join(folder, 'decoded');
  const files = [];
  for (let index = 0; index < 5; index++) {
    files.push(join(folder, `photo${index}.png`));
    await photo(index, 20, 20).png().toFile(files[index]);
  }
  // Room for three of five.
  const bounded = await PhotoCache.open(cache, 3 * 1300);
  const expected = [];
  for (const file of files) expected.push(await decodePhoto(file));
  for (let round = 0; round < 2; round++) {
    for (const [index, file] of files.entries()) assert.deepEqual(await bounded.read(file), expected[index]);
  }
  const kept = async () =>
    (await readdir(cache, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  assert.equal((await kept()).length, 3);
  const again = await PhotoCache.open(cache, 3 * 1300);
  for (const [index, file] of files.entries()) assert.deepEqual(await again.read(file), expected[index]);
  assert.equal((await kept()).length, 3);
  for (const [index, entry] of (await kept()).entries()) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const content = await readFile(path);
    content[[0, 5, 700][index]] ^= 1;
    await writeFile(path, content);
  }
  for (const [index, file] of files.entries()) {
    const { data, width, height } = await again.read(file);
    assert.deepEqual([Buffer.from(data), width, height], [Buffer.from(expected[index].data), 20, 20]);
  }
  // An edited photograph is not answered with its old pixels.
  await photo(9, 21, 20).png().toFile(files[0]);
  assert.equal((await again.read(files[0])).width, 21);
});

test('classes are the folders in order, images the photographs in them', async () => {
  const config = await dataset();
  await writeFile(join(config.train, 'read me.txt'), '');
  await writeFile(join(config.train, 'cat', 'notes.txt'), '');
  const list = listPhotos(config.train, 'data.train');
  assert.deepEqual(list.classes, ['bird', 'cat', 'dog']);
  assert.deepEqual([...list.labels], [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  assert.equal(list.paths[4], join('cat', '0.png'));
  const data = await loadDataset({ ...config, trainSubset: 6 } as PhotoConfig, { quiet: true });
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
  await photo(1)
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
    const data = await loadDataset({ ...config, onBroken: 'skip' } as PhotoConfig, { quiet: true });
    assert.equal(data.train.count, 11);
    assert.ok(!data.train.photos?.paths.includes(join('cat', '1.png')));
    assert.deepEqual([...data.train.labels], [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2]);
  } finally {
    process.stderr.write = write;
  }
  assert.match(written.join(''), new RegExp(`${bad}.*skipped`));
  await photo(5).png().toFile(bad);
  assert.equal((await loadDataset(config, { quiet: true })).train.count, 12, 'once mended it is back');
});

const bytes = ({ images, labels }: { images: Uint8Array; labels: Int32Array }) =>
  Buffer.concat([images, Buffer.from(Uint8Array.from(labels))]).toString('latin1');

test('batches are the same with a cache, without one, and in a resumed run', async () => {
  const config = await dataset();
  const options = { seed: 3, batchSize: 4, stepsPerEpoch: 3, totalSteps: 9, augment: true };
  const all = async (decodedCache: number, firstStep = 0, changes = {}) => {
    const data = await loadDataset({ ...config, decodedCache } as PhotoConfig, { quiet: true });
    const batches = openTrainBatches(data, { ...options, firstStep, ...changes });
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
  const batches = openEvaluationBatches(data, { batchSize: 4 });
  for (let batch = batches.next(); batch; batch = batches.next()) {
    labels.push(...batch.labels);
    counts.push(batch.count);
    images.push(Buffer.from(batch.images));
  }
  await batches.close();
  assert.deepEqual(labels, [0, 0, 1, 1, 2, 2]);
  assert.deepEqual(counts, [4, 2]);
  const { root, paths } = data.validation.photos!;
  const last = await centreCrop(await decodePhoto(join(root, paths[5])), 16, 18);
  assert.deepEqual(images[1].subarray(768), Buffer.from(last.data));
});

test('evaluation of images in memory: the same, without a thread', async () => {
  const data = await loadDataset({ name: 'synthetic', validation: 'test', valSubset: 25 });
  const batches = openEvaluationBatches(data, { batchSize: 10 });
  const counts = [];
  const images = [];
  for (let batch = batches.next(); batch; batch = batches.next()) {
    counts.push(batch.count);
    images.push(batch.images);
    assert.equal(batch.labels.length, batch.count);
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
  const failing = openTrainBatches(data, options);
  assert.throws(
    () => failing.next(),
    (error: UserError) => error instanceof UserError && error.place === bad,
  );
  await failing.close();
  const skipping = openTrainBatches(
    { ...data, photography: { ...data.photography!, onBroken: 'skip' } },
    options,
  );
  const { labels } = skipping.next();
  assert.deepEqual([...labels].sort(), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  await skipping.close();
});
