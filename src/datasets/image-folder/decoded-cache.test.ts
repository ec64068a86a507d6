import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { imageFile } from '../testing/image-file.js';
import { decodeImage } from './decode.js';
import { DecodedCache } from './decoded-cache.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-decoded-'));
after(() => rm(folder, { recursive: true, force: true }));

test('the decoded cache: the same pixels, bounded, and what is damaged is decoded anew', async () => {
  const cache = join(folder, 'decoded');
  const files = [];
  for (let index = 0; index < 5; index++) {
    files.push(join(folder, `image${index}.png`));
    await imageFile(index, 20, 20).png().toFile(files[index]);
  }
  // Room for three of five.
  const bounded = await DecodedCache.open(cache, 3 * 1300);
  const expected = [];
  for (const file of files) expected.push(await decodeImage(file));
  for (let round = 0; round < 2; round++) {
    for (const [index, file] of files.entries()) assert.deepEqual(await bounded.read(file), expected[index]);
  }
  const kept = async () =>
    (await readdir(cache, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  assert.equal((await kept()).length, 3);
  const again = await DecodedCache.open(cache, 3 * 1300);
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
  // An edited image is not answered with its old pixels.
  await imageFile(9, 21, 20).png().toFile(files[0]);
  assert.equal((await again.read(files[0])).width, 21);
});

test('a file in another’s place, of its size and with its time, is not answered with the other’s pixels', async () => {
  const cache = await DecodedCache.open(join(folder, 'replaced'), 1e6);
  const path = join(folder, 'replaced.png');
  const time = new Date(2020, 1, 1);
  const put = async (index: number) => {
    await imageFile(index, 20, 20).png({ compressionLevel: 0 }).toFile(path);
    await utimes(path, time, time);
    return (await stat(path)).size;
  };
  const before = await put(1);
  await cache.read(path);
  assert.equal(await put(2), before);
  assert.deepEqual((await cache.read(path)).data, (await decodeImage(path)).data);
});
