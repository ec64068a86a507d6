import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { crc32, type Entry, makeZip } from './testing/make-zip.js';
import { openZip, ZipError } from './zip.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gnbench-zip-'));
});
after(() => rm(folder, { recursive: true }));

let files = 0;

/** All that a zip file holds, by name. */
async function readAll(bytes: Buffer): Promise<Record<string, string>> {
  const path = join(folder, `${files++}.zip`);
  await writeFile(path, bytes);
  const zip = await openZip(path);
  try {
    const all: Record<string, string> = {};
    for (const member of zip.members) {
      const chunks: Buffer[] = [];
      for await (const chunk of zip.read(member)) chunks.push(chunk);
      all[member.name] = Buffer.concat(chunks).toString('latin1');
    }
    return all;
  } finally {
    await zip.close();
    await rm(path);
  }
}

const refuses = (bytes: Buffer, message: RegExp) =>
  assert.rejects(readAll(bytes), (error) => error instanceof ZipError && message.test(error.message));

const large = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * index) >> 7));
const sound: Entry[] = [
  { name: 'a/packed.txt', content: 'group normalization '.repeat(100) },
  { name: 'a/stored.bin', content: large, stored: true },
  { name: 'empty', content: '', stored: true },
  { name: 'a/', content: '', stored: true, mode: 0o040755 },
];
const contents = Object.fromEntries(
  sound.map(({ name, content }) => [name, Buffer.from(content).toString('latin1')]),
);

describe('what is sound is read', () => {
  test('packed, stored and empty members', async () =>
    assert.deepEqual(await readAll(makeZip(sound)), contents));

  test('with a comment at the end that looks like an end', async () => {
    const comment = `PK\u0005\u0006${'x'.repeat(40)}`;
    assert.deepEqual(await readAll(makeZip(sound, { comment })), contents);
  });

  test('ZIP64 sizes, offsets and directory', async () => {
    const entries = sound.map((entry) => ({ ...entry, zip64: true }));
    assert.deepEqual(await readAll(makeZip(entries, { zip64: true })), contents);
  });

  test('what another program wrote', async () => {
    // Python 3.11: z = zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED); z.writestr('a/deflated.txt', 'group normalization ' * 50)
    // z.writestr(zipfile.ZipInfo('a/stored.bin'), bytes(range(20)))
    const python =
      'UEsDBBQAAAAIAMSQd13sFQVIHwAAAOgDAAAOAAAAYS9kZWZsYXRlZC50eHRLL8ovLVDIyy/KTczJrEosyczPU0gfFRsVGxUbVmIAUEsDBBQAAAAAAAAAIQCk/907FAAAABQAAAAMAAAAYS9zdG9yZWQuYmluAAECAwQFBgcICQoLDA0ODxAREhNQSwECFAMUAAAACADEkHdd7BUFSB8AAADoAwAADgAAAAAAAAAAAAAAgAEAAAAAYS9kZWZsYXRlZC50eHRQSwECFAMUAAAAAAAAACEApP/dOxQAAAAUAAAADAAAAAAAAAAAAAAAgAFLAAAAYS9zdG9yZWQuYmluUEsFBgAAAAACAAIAdgAAAIkAAAAAAA==';
    assert.deepEqual(await readAll(Buffer.from(python, 'base64')), {
      'a/deflated.txt': 'group normalization '.repeat(50),
      'a/stored.bin': String.fromCharCode(...Array.from({ length: 20 }, (_, index) => index)),
    });
  });

  test('the executable bit is told', async () => {
    const path = join(folder, 'mode.zip');
    await writeFile(path, makeZip([{ name: 'run', content: 'x', mode: 0o100755 }, sound[0]]));
    const zip = await openZip(path);
    await zip.close();
    assert.deepEqual(
      zip.members.map(({ executable }) => executable),
      [true, false],
    );
  });
});

describe('what is unsafe or damaged is refused', () => {
  for (const name of ['../up', 'a/../../up', '/root', 'a//b', './a', 'a\\b', 'C:x', 'a\u0000b', 'a/..', '']) {
    test(`the name ${JSON.stringify(name)}`, () => refuses(makeZip([{ name, content: 'x' }]), /unsafe name/));
  }

  const lies: [string, Partial<Entry>, RegExp][] = [
    ['a symbolic link', { mode: 0o120777 }, /link/],
    ['a device', { mode: 0o020644 }, /device/],
    ['an encrypted member', { flags: 1 }, /encrypted/],
    ['an unknown method', { method: 12 }, /method 12/],
    ['another CRC', { crc: 1 }, /damaged/],
    ['another CRC of a stored member', { crc: 1, stored: true }, /damaged/],
    ['a member longer than it says', { size: 5 }, /longer/],
    ['a member shorter than it says', { size: 5000 }, /damaged|shorter/],
    ['another name in front of the content', { localName: 'b' }, /two names/],
    ['an offset out of the file', { offset: 10_000_000 }, /leaves the file/],
    ['an offset to something else', { offset: 1 }, /damaged|overlaps|leaves/],
  ];
  for (const [what, fields, message] of lies) {
    test(what, () => refuses(makeZip([{ name: 'a', content: 'group normalization', ...fields }]), message));
  }

  test('a name twice', () => refuses(makeZip([sound[0], sound[0]]), /twice/));

  test('members that share their bytes', () => {
    return refuses(makeZip([sound[0], { ...sound[0], name: 'again', offset: 0 }]), /overlaps/);
  });

  test('every truncation', async () => {
    const bytes = makeZip(sound.slice(0, 1));
    for (let length = 0; length < bytes.length; length++) await refuses(bytes.subarray(0, length), /./);
  });

  test('random bytes', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (bytes) => refuses(Buffer.from(bytes), /./)),
    ));

  test('a byte changed anywhere changes no content unnoticed', () => {
    const bytes = makeZip(sound.filter(({ content }) => content.length < 5000));
    const position = fc.nat({ max: bytes.length - 1 });
    const mutation = fc.record({ position, value: fc.integer({ min: 1, max: 255 }) });
    return fc.assert(
      fc.asyncProperty(mutation, async ({ position, value }) => {
        const changed = Buffer.from(bytes);
        changed[position] ^= value;
        const found = await readAll(changed).catch((error) => {
          assert.ok(error instanceof ZipError, String(error.stack));
          return {};
        });
        for (const [name, content] of Object.entries(found))
          assert.ok(Object.values(contents).includes(content), name);
      }),
      { numRuns: 2000 },
    );
  });
});

test("the tests' own CRC is the standard's check value", () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
});
