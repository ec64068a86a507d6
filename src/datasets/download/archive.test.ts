import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import tar, { type Header } from 'tar-stream';
import { UserError } from '../../errors.js';
import { unpack, type Wanted } from './archive.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-archive-'));
after(() => rm(folder, { recursive: true, force: true }));

const wanted: Wanted = { folder: 'set', sizes: { 'a.bin': 5, 'b.bin': 1000 } };
const bytesOf: Record<string, Buffer> = { 'a.bin': Buffer.from('12345'), 'b.bin': Buffer.alloc(1000, 'b') };
type Member = [Partial<Header> & { name: string }, (Buffer | string)?];
const good: Member[] = [
  [{ name: 'set', type: 'directory' }],
  [{ name: 'set/readme.html' }, 'read me'],
  [{ name: 'set/b.bin' }, bytesOf['b.bin']],
  [{ name: 'set/a.bin' }, bytesOf['a.bin']],
];

async function tarBytes(members: Member[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const [header, content] of members) pack.entry(header, content ?? '');
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

let made = 0;
/** Unpacks the bytes into a folder of its own; what is there afterwards, beside the error if there was one. */
async function tryUnpack(archive: Buffer, members = wanted) {
  const place = join(folder, String(made++));
  await writeFile(join(folder, 'archive.tar.gz'), archive);
  const error = await unpack(join(folder, 'archive.tar.gz'), members, join(place, 'inside', 'set')).catch(
    (e) => e,
  );
  return { error, place, left: (await readdir(place, { recursive: true })).map(String).sort() };
}

async function refused(members: Member[] | Buffer, message: RegExp) {
  const archive = Buffer.isBuffer(members) ? members : gzipSync(await tarBytes(members));
  const { error, left } = await tryUnpack(archive);
  assert.ok(error instanceof UserError, String(error));
  assert.match(error.message, message);
  assert.deepEqual(left, ['inside'], 'nothing is left behind');
}

test('the wanted members become plain files, nothing else does', async () => {
  const { error, place, left } = await tryUnpack(gzipSync(await tarBytes(good)));
  assert.equal(error, undefined);
  assert.deepEqual(left, ['inside', 'inside/set', 'inside/set/a.bin', 'inside/set/b.bin']);
  for (const file of Object.keys(bytesOf)) {
    assert.deepEqual(await readFile(join(place, 'inside', 'set', file)), bytesOf[file]);
  }
});

test('names that point elsewhere are not followed', async () => {
  const names = [
    '../set/a.bin',
    '/set/a.bin',
    'set/../../a.bin',
    'set/a.bin/',
    'set//a.bin',
    'other/set/a.bin',
    'a.bin',
  ];
  for (const name of names) {
    await refused([good[2], [{ name }, bytesOf['a.bin']]], /a\.bin missing|is a|twice/);
  }
  // Beside the wanted members they are read over.
  const { error, left } = await tryUnpack(gzipSync(await tarBytes([...good, [{ name: '../../evil' }, 'x']])));
  assert.equal(error, undefined);
  assert.deepEqual(left, ['inside', 'inside/set', 'inside/set/a.bin', 'inside/set/b.bin']);
});

test('links and devices are refused', async () => {
  for (const type of ['symlink', 'link', 'character-device', 'block-device', 'fifo'] as const) {
    await refused([...good, [{ name: 'set/c', type, linkname: '/etc/passwd' }]], new RegExp(`is a ${type}`));
  }
});

test('a member of another size, missing or there twice', async () => {
  await refused([good[2], [{ name: 'set/a.bin' }, '1234']], /a\.bin has 4 bytes, expected 5/);
  await refused([good[2], [{ name: 'set/a.bin' }, '123456']], /a\.bin has 6 bytes, expected 5/);
  await refused([good[2]], /a\.bin missing/);
  await refused([...good, good[3]], /twice/);
  await refused([], /missing/);
});

test('bombs end early: many members, many bytes, a long header', async () => {
  const many = Array.from({ length: 200 }, (_, index): Member => [{ name: `set/${index}` }, '']);
  await refused([...good, ...many], /more than 102 members/);
  await refused([...good, [{ name: 'zeros' }, Buffer.alloc(40 * 2 ** 20)]], /unpacks to more than/);
  await refused(
    [[{ name: 'set/x', pax: { comment: 'x'.repeat(40 * 2 ** 20) } }, ''], ...good],
    /exceeds max size/,
  );
});

test('cut anywhere, or one byte changed: the whole folder or none', async () => {
  const archive = gzipSync(await tarBytes(good));
  await fc.assert(
    fc.asyncProperty(
      fc.nat(archive.length - 1),
      fc.option(fc.integer({ min: 1, max: 255 })),
      async (at, change) => {
        const other = change === null ? archive.subarray(0, at) : Buffer.from(archive);
        if (change !== null) other[at] ^= change;
        const { error, place, left } = await tryUnpack(other);
        if (error === undefined) {
          // A byte of the gzip header that means nothing (time, system) or of the read-me file can change.
          for (const file of Object.keys(bytesOf)) {
            assert.deepEqual(await readFile(join(place, 'inside', 'set', file)), bytesOf[file]);
          }
        } else {
          assert.ok(error instanceof UserError, String(error?.stack));
          assert.deepEqual(left, ['inside']);
        }
      },
    ),
    { numRuns: Number(process.env.GNBENCH_FUZZ ?? 300) },
  );
});

test('any bytes, packed or not, are one error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), async (bytes, packed) => {
      const { error } = await tryUnpack(packed ? gzipSync(bytes) : Buffer.from(bytes));
      assert.ok(error instanceof UserError, String(error?.stack));
    }),
    { numRuns: Number(process.env.GNBENCH_FUZZ ?? 200) },
  );
});

test('a folder that another process has put there meanwhile is kept', async () => {
  await writeFile(join(folder, 'archive.tar.gz'), gzipSync(await tarBytes(good)));
  const target = join(folder, 'twice', 'set');
  await unpack(join(folder, 'archive.tar.gz'), wanted, target);
  await unpack(join(folder, 'archive.tar.gz'), wanted, target);
  assert.deepEqual((await readdir(join(folder, 'twice'))).sort(), ['set']);
});

test('takes all members whose names match a pattern, into folders of their own', async () => {
  const photographs: Wanted = {
    folder: 'set',
    pattern: /^(train|val)\/n\d\/\w+\.JPEG$/,
    count: 2,
    bytes: 100,
  };
  const members: Member[] = [
    [{ name: 'set/train/n1', type: 'directory' }],
    [{ name: 'set/train/n1/a.JPEG' }, '12345'],
    [{ name: './set/val/n1/b.JPEG' }, '678'],
    [{ name: 'set/val/n1/../../../evil.JPEG' }, 'x'],
    [{ name: 'set/train/n1/._a.JPEG' }, 'x'],
    [{ name: 'set/labels.csv' }, 'x'],
  ];
  const { error, left } = await tryUnpack(gzipSync(await tarBytes(members)), photographs);
  assert.equal(error, undefined);
  assert.deepEqual(
    left.filter((name) => /JPEG|csv/.test(name)),
    ['inside/set/train/n1/a.JPEG', 'inside/set/val/n1/b.JPEG'],
  );
  for (const other of [members.slice(0, 2), [...members, [{ name: 'set/val/n1/c.JPEG' }, 'x'] as Member]]) {
    const wrong = await tryUnpack(gzipSync(await tarBytes(other)), photographs);
    assert.match(wrong.error.message, /[13] files found in it, expected 2/);
    assert.deepEqual(wrong.left, ['inside']);
  }
});
