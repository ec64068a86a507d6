import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { parseConfig } from '../config/load.js';
import { provideImagenette } from './download/provide.js';
import {
  asImageFolder,
  imagenetteClasses,
  imagenetteCounts,
  imagenetteLabels,
  imagenetteVersions,
} from './imagenette.js';
import { loadDataset } from './index.js';
import { knownSizes } from './known-sizes.js';
import type { ImagenetteConfig } from './schema.js';
import { imageFile } from './testing/image-file.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-imagenette-'));
const saved = { GNBENCH_CACHE: process.env.GNBENCH_CACHE, GNBENCH_DATA: process.env.GNBENCH_DATA };
process.env.GNBENCH_CACHE = join(folder, 'cache');
delete process.env.GNBENCH_DATA;
after(async () => {
  for (const [name, value] of Object.entries(saved)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await rm(folder, { recursive: true, force: true });
});

const configOf = (data: string) =>
  parseConfig(`model: resnet18\nnormalizer: none\ndata: ${data}\nbatch: {size: 2}\n`, { file: 'a.yaml' })
    .data as ImagenetteConfig;

test('the counts of its classes add up to what its archives hold', () => {
  assert.deepEqual(imagenetteCounts, { classes: 10, train: 9469, val: 3925 });
  for (const { images } of Object.values(imagenetteVersions)) assert.equal(images, 9469 + 3925);
});

test('a plan needs none of its images, and a class may be named', () => {
  const all = knownSizes(configOf('imagenette'));
  assert.deepEqual(all.sizes, { train: 9469, validation: 3925 });
  assert.deepEqual(all.shape, [128, 128, 3]);
  const two = configOf('{name: imagenette, classes: [church, 0], resolution: 64}');
  assert.deepEqual(imagenetteLabels(two.classes), [4, 0]);
  assert.deepEqual(knownSizes(two).sizes, { train: 941 + 963, validation: 409 + 387 });
  assert.deepEqual(asImageFolder(two, 'here').classes, [4, 0]);
  assert.throws(() => knownSizes(configOf('{name: imagenette, classes: [chuch, 0]}')), /did you mean church/);
});

test('it is downloaded once, and another archive than the published one is refused', async () => {
  const pack = tar.pack();
  for (const split of ['train', 'val'])
    for (const known of imagenetteClasses)
      pack.entry({ name: `imagenette2-160/${split}/${known.folder}/a_1.JPEG` }, `${split} ${known.name}`);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  const archive = gzipSync(Buffer.concat(chunks));
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.end(archive);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  after(() => server.close());
  const published = {
    folder: 'imagenette2-160',
    images: 20,
    archive: {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/imagenette2-160.tgz`,
      bytes: archive.length,
      sha256: createHash('sha256').update(archive).digest('hex'),
    },
  };
  const other = { ...published, archive: { ...published.archive, sha256: '0'.repeat(64) } };
  await assert.rejects(provideImagenette(other, { quiet: true }), /wrong checksum/);
  const target = join(folder, 'cache', 'data', 'imagenette2-160');
  assert.equal(await provideImagenette(published, { quiet: true }), target);
  assert.equal(await provideImagenette(published, { quiet: true }), target);
  assert.equal(requests, 2);
});

test('a folder with fewer images than were published is refused', async () => {
  const data = join(folder, 'data');
  for (const split of ['train', 'val'])
    for (const known of imagenetteClasses) {
      const place = join(data, 'imagenette2-320', split, known.folder);
      await mkdir(place, { recursive: true });
      await writeFile(join(place, 'a.JPEG'), await imageFile(1).jpeg().toBuffer());
    }
  const config = configOf('{name: imagenette, size: 320}');
  await assert.rejects(loadDataset(config, { dataFolder: data, quiet: true }), /expected 9469, found 10/);
});
