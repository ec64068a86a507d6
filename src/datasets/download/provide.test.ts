import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { UserError } from '../../errors.js';
import { type CifarVersion, cifar10 } from '../checksums.js';
import { readCifar } from '../cifar.js';
import { provideCifar } from './provide.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-provide-'));
const saved = { GNBENCH_CACHE: process.env.GNBENCH_CACHE, GNBENCH_DATA: process.env.GNBENCH_DATA };
process.env.GNBENCH_CACHE = join(folder, 'cache');
delete process.env.GNBENCH_DATA;

/** One record a file, packed as the published archive is. */
const names = Object.keys(cifar10.records);
const content = (file: string) => Buffer.alloc(3073, names.indexOf(file) + 1);
const pack = tar.pack();
pack.entry({ name: cifar10.folder, type: 'directory' });
for (const file of names) pack.entry({ name: `${cifar10.folder}/${file}` }, content(file));
pack.finalize();
const chunks: Buffer[] = [];
for await (const chunk of pack) chunks.push(chunk as Buffer);
const archive = gzipSync(Buffer.concat(chunks));

let requests = 0;
const server = createServer((_, response) => {
  requests++;
  setTimeout(() => response.end(archive), 100);
});
await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const version: CifarVersion = {
  ...cifar10,
  records: Object.fromEntries(names.map((file) => [file, 1])),
  sha256: Object.fromEntries(names.map((file) => [file, hash(content(file))])),
  archive: {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/set.tar.gz`,
    bytes: archive.length,
    sha256: hash(archive),
  },
};

after(async () => {
  server.close();
  for (const [name, value] of Object.entries(saved)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await rm(folder, { recursive: true, force: true });
});

test('what is nowhere is fetched once, however many ask; only the data stays in the cache', async () => {
  const found = await Promise.all([1, 2, 3].map(() => provideCifar(version, { quiet: true })));
  const expected = join(folder, 'cache', 'data', cifar10.folder);
  assert.deepEqual(found, [expected, expected, expected]);
  assert.equal(requests, 1);
  assert.deepEqual(await readdir(join(folder, 'cache', 'data')), [cifar10.folder]);
  assert.deepEqual((await readdir(expected)).sort(), [...names].sort());
  for (const file of names) assert.deepEqual(await readFile(join(expected, file)), content(file));
  const data = await readCifar(version, expected, { name: 'cifar10', validation: 'test', augment: true });
  assert.equal(data.official, true);
  await provideCifar(version, { quiet: true });
  assert.equal(requests, 1);
});

test('beside the version for Python the binary one is fetched, and an error names the former', async () => {
  const python = join(folder, 'keras', 'cifar-10-batches-py');
  await mkdir(python, { recursive: true });
  await writeFile(join(python, 'data_batch_1'), '');
  const dead = { ...version, archive: { ...version.archive, url: 'http://127.0.0.1:1/set.tar.gz' } };
  process.env.GNBENCH_CACHE = join(folder, 'other-cache');
  for (const dataFolder of [join(folder, 'keras'), python]) {
    await assert.rejects(provideCifar(dead, { quiet: true, dataFolder }), ({ message }: UserError) =>
      message.includes(
        `${python} holds the version for Python; the binary version, cifar-10-batches-bin, is read`,
      ),
    );
  }
  await assert.rejects(
    readCifar(version, python, { name: 'cifar10', validation: 'test', augment: true }),
    /here is the version for Python/,
  );
});

test('a cache that cannot be made: an error that says what to do', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  process.env.GNBENCH_CACHE = join(file, 'cache');
  await assert.rejects(
    provideCifar(version, { quiet: true }),
    (error: UserError) => error instanceof UserError && /GNBENCH_CACHE/.test(error.fix ?? ''),
  );
});
