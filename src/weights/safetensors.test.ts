import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../errors.js';
import { decodeSafetensors, encodeSafetensors, readSafetensors, writeSafetensors } from './safetensors.js';

/** How many hostile files are tried. */
const runs = Number(process.env.GNBENCH_FUZZ ?? 1000);

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-safetensors-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** A file of the given header and bytes, as another program would write it. */
function file(header: unknown, data: Uint8Array = new Uint8Array(0)): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

const problemsOf = (bytes: Uint8Array): string => {
  try {
    decodeSafetensors(bytes, 'w.safetensors');
  } catch (error) {
    assert.ok(error instanceof UserError, `${error}`);
    assert.equal(error.place, 'w.safetensors');
    return error.message;
  }
  return '';
};

test('tensors and metadata are read back as written', () => {
  const tensors = {
    kernel: {
      shape: [2, 3],
      data: Float32Array.of(1, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, 3.4e38),
    },
    scalar: { shape: [], data: Float32Array.of(7) },
    empty: { shape: [0, 4], data: new Float32Array(0) },
    größe: { shape: [1], data: Float32Array.of(1) },
  };
  const path = join(scratch, 'all.safetensors');
  writeSafetensors(path, tensors, { metadata: { model: 'resnet20' } });
  const sha256 = createHash('sha256').update(fs.readFileSync(path)).digest('hex');
  assert.deepEqual(readSafetensors(path), { tensors, metadata: { model: 'resnet20' }, sha256 });
  assert.throws(() => writeSafetensors(path, tensors), UserError, 'a file that is there is not overwritten');
  writeSafetensors(path, { scalar: tensors.scalar }, { replace: true });
  assert.deepEqual(Object.keys(readSafetensors(path).tensors), ['scalar']);
  assert.throws(() => readSafetensors(join(scratch, 'missing')), UserError);
  assert.deepEqual(fs.readdirSync(scratch), ['all.safetensors'], 'no temporary file is left');
});

test('the folder of a file is made where it is missing', async () => {
  const path = join(scratch, 'a', 'new', 'weights.safetensors');
  writeSafetensors(path, { x: { shape: [1], data: Float32Array.of(1) } });
  assert.deepEqual([...(readSafetensors(path).tensors.x.data as Float32Array)], [1]);
});

test('a pointer of Git LFS and a web page are called what they are', () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n';
  assert.match(problemsOf(Buffer.from(pointer)), /^this is a pointer of Git LFS/);
  for (const page of ['<!DOCTYPE html>\n<html><head>', '\n  <html lang="en">', '\uFEFF<!doctype html>']) {
    assert.match(problemsOf(Buffer.from(page)), /^this is a web page, not weights/);
  }
});

test('float64 is read; types that hold no weights are called sound, and not read', () => {
  const doubles = new Uint8Array(Float64Array.of(1.5, -0.1).buffer);
  const header = { w: { dtype: 'F64', shape: [2], data_offsets: [0, 16] } };
  assert.deepEqual(decodeSafetensors(file(header, doubles), 'w').tensors.w, {
    shape: [2],
    data: Float32Array.of(1.5, -0.1),
  });
  const bytes = { mask: { dtype: 'U8', shape: [2], data_offsets: [0, 2] } };
  assert.equal(problemsOf(file(bytes, new Uint8Array(2))), '"mask" is of type U8, which is not read');
});

test('integers are written as I64', () => {
  const path = join(scratch, 'integers.safetensors');
  writeSafetensors(path, { count: { shape: [2], data: BigInt64Array.of(-3n, 7n) } });
  assert.match(fs.readFileSync(path, 'latin1'), /"dtype":"I64"/);
  assert.deepEqual([...readSafetensors(path).tensors.count.data], [-3, 7]);
});

test('what is no file, or larger than 2 GiB or than the memory, is refused in a sentence', () => {
  const refused = (path: string, message: RegExp, memory?: number) =>
    assert.throws(
      () => readSafetensors(path, { memory }),
      (error: unknown) => error instanceof UserError && error.place === path && message.test(error.message),
    );
  refused(scratch, /it is not a file/);
  const path = join(scratch, 'sparse.safetensors');
  fs.writeFileSync(path, '');
  fs.truncateSync(path, 3 * 2 ** 40);
  refused(path, /has 3,145,728 MiB, and \S+ MiB of memory are free/);
  refused(path, /larger than 2 GiB/, Number.POSITIVE_INFINITY);
  fs.truncateSync(path, 3 * 2 ** 20);
  refused(path, /has 3 MiB, and 2 MiB of memory are free/, 2 * 2 ** 20);
});

test('the layout is the format’s: length, JSON padded to 8 bytes, little-endian data', () => {
  const bytes = Buffer.concat(encodeSafetensors({ a: { shape: [1], data: Float32Array.of(1) } }));
  const length = Number(bytes.readBigUInt64LE());
  assert.equal(length % 8, 0);
  assert.equal(
    bytes.toString('utf8', 8, 8 + length).trimEnd(),
    '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
  );
  assert.deepEqual([...bytes.subarray(8 + length)], [0, 0, 0x80, 0x3f]);
});

test('half, brain and integer types are read as float32, at odd addresses too', () => {
  const data = Buffer.alloc(33);
  data.writeBigInt64LE(-5n, 0);
  data.writeBigInt64LE(1n << 40n, 8);
  // As halves 1, −2, 2^−24 and ∞; as brain floats 1 and −3.
  for (const [i, bits] of [0x3c00, 0xc000, 0x0001, 0x7c00, 0x3f80, 0xc040].entries()) {
    data.writeUInt16LE(bits, 16 + 2 * i);
  }
  data.writeFloatLE(0.1, 28);
  const header = {
    i: { dtype: 'I64', shape: [2], data_offsets: [0, 16] },
    h: { dtype: 'F16', shape: [4], data_offsets: [16, 24] },
    b: { dtype: 'BF16', shape: [2], data_offsets: [24, 28] },
    f: { dtype: 'F32', shape: [1], data_offsets: [28, 32] },
  };
  for (const padding of ['', ' ', '  ', '   ']) {
    const { tensors } = decodeSafetensors(file(JSON.stringify(header) + padding, data.subarray(0, 32)), 'w');
    assert.deepEqual([...tensors.i.data], [-5, 2 ** 40]);
    assert.deepEqual([...tensors.h.data], [1, -2, 2 ** -24, Number.POSITIVE_INFINITY]);
    assert.deepEqual([...tensors.b.data], [1, -3]);
    assert.deepEqual([...tensors.f.data], [Math.fround(0.1)]);
  }
});

test('every half-precision number is read right', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const header = { h: { dtype: 'F16', shape: [65536], data_offsets: [0, 131072] } };
  const { data } = decodeSafetensors(file(header, new Uint8Array(bits.buffer)), 'w').tensors.h;
  // Positive finite ones ascend from 0 in steps of 2^-24, doubling at each new exponent.
  for (let i = 1; i < 0x7c00; i++) {
    assert.equal(data[i] - data[i - 1], 2 ** (Math.max(0, ((i - 1) >> 10) - 1) - 24), `at ${i}`);
    assert.equal(data[i + 0x8000], -data[i]);
  }
  assert.ok(data.subarray(0x7c01, 0x8000).every(Number.isNaN));
});

const f32 = (begin: number, end: number, shape: number[] = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

test('a header that is cut, huge, no JSON or no mapping is refused', () => {
  assert.match(problemsOf(Buffer.alloc(5)), /ends after 5 bytes/);
  assert.match(problemsOf(Buffer.alloc(8, 0xff)), /claims 18446744073709551615 bytes, more than/);
  assert.match(problemsOf(file({ a: f32(0, 4) }).subarray(0, 20)), /has 12 left/);
  assert.match(problemsOf(file('[]')), /does not begin with \{/);
  assert.match(problemsOf(file('{"a":')), /not JSON/);
  assert.match(problemsOf(Buffer.concat([file('{"a').subarray(0, 10), Buffer.of(0xff)])), /not JSON/);
});

test('ranges that overlap, leave the file or leave holes are refused', () => {
  const data = Buffer.alloc(16);
  assert.equal(problemsOf(file({ a: f32(0, 8), b: f32(8, 16) }, data)), '');
  assert.match(problemsOf(file({ a: f32(0, 8), b: f32(4, 16) }, data)), /"b" overlaps "a"/);
  assert.match(problemsOf(file({ a: f32(0, 16), b: f32(0, 16) }, data)), /"b" overlaps "a"/);
  assert.match(
    problemsOf(file({ a: f32(0, 4), b: f32(8, 16) }, data)),
    /4 bytes before "b" belong to no tensor/,
  );
  assert.match(problemsOf(file({ a: f32(0, 8) }, data)), /last 8 bytes belong to no tensor/);
  assert.match(problemsOf(file({ a: f32(0, 20) }, data)), /outside the file's 16 bytes/);
  assert.match(problemsOf(file({ a: f32(0, 16, [5]) }, data)), /has 16 bytes, \[5\] of F32 needs 20/);
  assert.match(problemsOf(file({ a: f32(0, 16, [2 ** 40, 2 ** 40]) }, data)), /needs 4\.8/);
});

test('all that is wrong is listed at once', () => {
  const header = {
    __metadata__: { n: 1 },
    a: 5,
    b: { dtype: 'Q7', shape: [1], data_offsets: [0, 4] },
    c: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] },
    d: { dtype: 'F32', shape: [1], data_offsets: [4, 0] },
    e: { dtype: 'F32', shape: [1], data_offsets: '04' },
    constructor: { dtype: 'toString', shape: [1], data_offsets: [0, 4] },
  };
  const problems = problemsOf(file(header, Buffer.alloc(4)));
  for (const name of ['__metadata__', '"a"', '"b"', '"c"', '"d"', '"e"', '"constructor"']) {
    assert.ok(problems.includes(name), `${name} in ${problems}`);
  }
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`t${i}`, 0]));
  assert.match(problemsOf(file(many)), /and 980 more$/);
});

test('names cannot reach the prototype', () => {
  const text = JSON.stringify({ a: f32(0, 4) }).replace('"a"', '"__proto__"');
  assert.match(problemsOf(file(text, Buffer.alloc(4))), /"__proto__" is not a name/);
  const { tensors } = decodeSafetensors(file({ toString: f32(0, 4) }, Buffer.alloc(4)), 'w');
  assert.deepEqual(Object.keys(tensors), ['toString']);
});

test('whatever the bytes, tensors or a UserError', () => {
  const good = Buffer.concat(
    encodeSafetensors({
      a: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      b: { shape: [1], data: Float32Array.of(5) },
    }),
  );
  const entry = fc.record({
    dtype: fc.constantFrom('F32', 'F16', 'BF16', 'I64', 'F64'),
    shape: fc.array(fc.oneof(fc.nat(4), fc.maxSafeInteger(), fc.double()), { maxLength: 3 }),
    data_offsets: fc.array(fc.oneof(fc.nat(20), fc.maxSafeInteger()), { minLength: 2, maxLength: 2 }),
  });
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.tuple(fc.json(), fc.uint8Array({ maxLength: 20 })).map(([json, data]) => file(json, data)),
    fc
      .tuple(fc.dictionary(fc.string(), fc.oneof(entry, fc.jsonValue())), fc.uint8Array({ maxLength: 20 }))
      .map(([header, data]) => file(header, data)),
    fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((edits) => {
      const bad = Buffer.from(good);
      for (const [at, byte] of edits) bad[at] = byte;
      return bad;
    }),
  );
  let sound = 0;
  fc.assert(
    fc.property(hostile, (bytes) => {
      if (problemsOf(bytes) !== '') return;
      sound++;
      for (const { shape, data } of Object.values(decodeSafetensors(bytes, 'w').tensors)) {
        assert.equal(
          data.length,
          shape.reduce((a, b) => a * b, 1),
        );
      }
    }),
    { numRuns: runs },
  );
  assert.ok(sound > runs / 200, `${sound} were sound`);
});

test('a header whose length begins like a zip archive is a header', () => {
  const header = JSON.stringify({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } });
  const bytes = file(header.padEnd(Buffer.from('PK').readUInt16LE()), Buffer.alloc(4));
  assert.equal(bytes.subarray(0, 2).toString(), 'PK');
  assert.deepEqual(decodeSafetensors(bytes, 'w.bin').tensors.a.shape, [1]);
});
