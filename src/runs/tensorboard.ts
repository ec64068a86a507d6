/**
 * Event files that TensorBoard reads, written by hand: a few protobuf fields in TFRecord frames.
 *
 * A frame is `length (uint64) · masked crc32c of the length · data · masked crc32c of the data`, little-endian
 * (tensorflow/core/lib/io/record_writer). The messages are tensorflow/core/util/event.proto and
 * tensorflow/core/framework/summary.proto.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../storage/files.js';
import { type Bytes, bytes, concat, double, float, integer, message } from '../storage/protobuf.js';
import type { CurveRow } from './curves.js';

export interface EventFile {
  /** One point of the curve `tag`. `wallTime` is in seconds since 1970, now if left out. */
  scalar(tag: string, step: number, value: number, wallTime?: number): void;
  close(): void;
}

/**
 * Opens a new event file in `folder` (made if missing). TensorBoard reads all event files of a folder as one run; with
 * `resumeAtStep` it forgets the points after that step which an interrupted run left behind.
 */
export function openEventFile(folder: string, options: { resumeAtStep?: number } = {}): EventFile {
  makeFolders(folder);
  const now = () => Date.now() / 1000;
  // TensorBoard orders the files of a folder by name and looks for "tfevents" in it.
  const seconds = String(Math.floor(now())).padStart(10, '0');
  let file = -1;
  for (let serial = 0; file < 0; serial++) {
    const name = `events.out.tfevents.${seconds}.gnbench.${process.pid}.${serial}`;
    try {
      file = openSync(join(folder, name), 'wx');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  const write = (fields: Bytes[]) => writeSync(file, frame(Buffer.from(concat(fields))));
  write([double(1, now()), bytes(3, 'brain.Event:2')]);
  if (options.resumeAtStep !== undefined) {
    const sessionStart = message(7, [integer(1, 1)]);
    // TensorBoard drops the points of the step that the session starts at, too: the epoch that ended there has one.
    write([double(1, now()), integer(2, options.resumeAtStep + 1), sessionStart]);
  }
  return {
    scalar(tag, step, value, wallTime = now()) {
      const point = message(1, [bytes(1, tag), float(2, value)]);
      write([double(1, wallTime), integer(2, step), message(5, [point])]);
    },
    close: () => closeSync(file),
  };
}

/** An epoch's row of `curves.csv` as points at its step; what was not measured has none. */
export function logEpoch(file: EventFile, row: CurveRow, wallTime?: number): void {
  const measured = Object.entries(row).filter(([column]) => /^(train|val)_/.test(column));
  const tags: [tag: string, value: number | undefined][] = [
    ...measured.map(([column, value]): [string, number] => [column.replace('_', '/'), value]),
    ['learning_rate', row.learning_rate],
    ['images_per_second', row.images_per_second],
  ];
  for (const [tag, value] of tags) if (value !== undefined) file.scalar(tag, row.step, value, wallTime);
}

/** `data` in its TFRecord frame. */
export function frame(data: Buffer): Buffer {
  const record = Buffer.alloc(16 + data.length);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  data.copy(record, 12);
  record.writeUInt32LE(maskedCrc(data), 12 + data.length);
  return record;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli) of `data`. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = crcTable[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** TFRecord rotates and shifts its sums, so that the sum of data that holds sums stays a good one. */
function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
