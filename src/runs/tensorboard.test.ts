import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { crc32c, frame, logEpoch, openEventFile } from './tensorboard.js';

test('crc32c is Castagnoli', () => {
  // The check value of the CRC catalogue, and RFC 3720 B.4.
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
});

test('a frame is what TensorBoard expects', () => {
  // With masked_crc32c of tensorboard 2.21.0 (tensorboard.compat.tensorflow_stub.pywrap_tensorflow).
  assert.equal(frame(Buffer.from('gn')).toString('hex'), '020000000000000078270b34676e35772c12');
});

test('scalars come back whole, and a second file never overwrites the first', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-events-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const log = openEventFile(folder);
  log.scalar('val_error', 300, 12.5, 1_700_000_000.25);
  log.close();
  openEventFile(folder, { resumeAtStep: 300 }).close();
  const files = readdirSync(folder).sort();
  assert.equal(files.length, 2);
  const [version, scalar] = records(readFileSync(join(folder, files[0])));
  assert.ok(version.includes('brain.Event:2'));
  const expected = Buffer.alloc(9);
  expected[0] = 9;
  expected.writeDoubleLE(1_700_000_000.25, 1);
  const value = Buffer.alloc(4);
  value.writeFloatLE(12.5);
  assert.deepEqual(
    scalar,
    // step 300 is the varint ac 02; then summary (5) > value (1) > tag (1) and simple_value (2, float).
    Buffer.concat([
      expected,
      Buffer.from([0x10, 0xac, 0x02, 0x2a, 18, 0x0a, 16, 0x0a, 9]),
      Buffer.from('val_error'),
      Buffer.from([0x15]),
      value,
    ]),
  );
  const [, start] = records(readFileSync(join(folder, files[1])));
  // Step 301 (ad 02): TensorBoard keeps what was logged at 300, the last step before the stop. Then session_log (7).
  assert.ok(
    start.subarray(9).equals(Buffer.from([0x10, 0xad, 0x02, 0x3a, 2, 0x08, 1])),
    start.toString('hex'),
  );
});

test('an epoch is a point of each curve that it has', () => {
  const points: [string, number, number][] = [];
  const file = { scalar: (...point: [string, number, number]) => void points.push(point), close: () => {} };
  const row = { epoch: 2, step: 20, images: 640, learning_rate: 0.1, train_loss: 1.5, train_error: 60 };
  logEpoch(file, { ...row, images_per_second: 400, seconds: 9 });
  assert.deepEqual(
    points.map(([tag, step, value]) => [tag, step, value]),
    [
      ['train/loss', 20, 1.5],
      ['train/error', 20, 60],
      ['learning_rate', 20, 0.1],
      ['images_per_second', 20, 400],
    ],
  );
});

/** Payloads of a TFRecord file. */
function records(file: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    assert.deepEqual(file.subarray(at, at + 16 + length), frame(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}
