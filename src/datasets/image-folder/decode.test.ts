import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { UserError } from '../../errors.js';
import { centreCrop, randomAreaCrop } from '../../input/crop.js';
import { Draws } from '../../random/random.js';
import { imageFile } from '../testing/image-file.js';
import { decodeImage, type Pixels } from './decode.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-decode-'));
after(() => rm(folder, { recursive: true, force: true }));

const plain = (width: number, height: number, r: number, g: number, b: number) =>
  sharp({ create: { width, height, channels: 3, background: { r, g, b } } });

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
    return decodeImage(file);
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
  uniform(await randomAreaCrop(one, 16, new Draws(1, 'imageFile')), [10, 20, 30], 0);
});

test('files that are not images: an error that names the file', async () => {
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
      decodeImage(file),
      (error: UserError) => error instanceof UserError && error.place === file,
    );
  }
  await imageFile(1, 200, 200).jpeg().toFile(file);
  await truncate(file, Math.floor((await stat(file)).size / 2));
  await assert.rejects(decodeImage(file), UserError);
  // A small file that claims to be 60,000 pixels wide and high.
  await plain(9, 9, 1, 2, 3).png().toFile(file);
  const bomb = await readFile(file);
  bomb.writeUInt32BE(60_000, 16);
  bomb.writeUInt32BE(60_000, 20);
  await writeFile(file, bomb);
  await assert.rejects(decodeImage(file), /^UserError: too large an image: .* 3600 megapixels/);
});

test('a photograph of 108 megapixels is too large, and not called broken', async () => {
  const file = join(folder, 'large.jpg');
  await plain(12_000, 9_000, 1, 2, 3).jpeg().toFile(file);
  await assert.rejects(
    decodeImage(file),
    ({ message, fix }: UserError) =>
      message === 'too large an image: it has 12000 × 9000 pixels, 108 megapixels, and 67 are read at most' &&
      /scale it down/.test(fix!),
  );
  await truncate(file, 65 * 2 ** 20);
  await assert.rejects(decodeImage(file), /too large an image: the file has 65 MiB, and 64 are read at most/);
});

test('a link to nowhere is a broken image; a file that may not be read is not', async () => {
  const link = join(folder, 'link.jpg');
  await symlink('nowhere.jpg', link);
  await assert.rejects(decodeImage(link), /broken image: a link to a file that is not there/);
  await assert.rejects(
    decodeImage(join(folder, 'gone.jpg')),
    /cannot be read: no such file or folder \(ENOENT\)/,
  );
});

test('an image file changed anywhere, or any bytes behind its first: decoded, or one error that names it', async () => {
  const file = join(folder, 'mutated');
  const sources = [await imageFile(1).jpeg().toBuffer(), await imageFile(1).png().toBuffer()];
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
        const result = await decodeImage(file).catch((error) => error);
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
  uniform(await randomAreaCrop(strip, 224, new Draws(1, 'imageFile')), [9, 9, 9], 0);
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
      new Draws(2, 'imageFile', 1, index),
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
