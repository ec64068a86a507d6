/** Writes zip files for tests: sound ones, and ones that lie wherever a member's fields say so. */
import { deflateRawSync } from 'node:zlib';

export interface Entry {
  name: string;
  content: Buffer | string;
  /** Not compressed. */
  stored?: boolean;
  /** Unix mode with file type; a plain file's by default. */
  mode?: number;
  /** Sizes and offset in ZIP64 fields, as for members over 4 GiB. */
  zip64?: boolean;
  /** The size that the headers give in place of the true one. */
  size?: number;
  crc?: number;
  flags?: number;
  method?: number;
  localName?: string;
  offset?: number;
}

export function makeZip(entries: Entry[], options: { comment?: string; zip64?: boolean } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const content = Buffer.from(entry.content);
    const packed = entry.stored ? content : deflateRawSync(content);
    const local = header(entry, content, packed);
    parts.push(local, packed);
    directory.push(centralHeader(entry, content, packed, entry.offset ?? offset));
    offset += local.length + packed.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...parts, central, ...ending(entries.length, central.length, offset, options)]);
}

const methodOf = (entry: Entry) => entry.method ?? (entry.stored ? 0 : 8);

function header(entry: Entry, content: Buffer, packed: Buffer): Buffer {
  const name = Buffer.from(entry.localName ?? entry.name);
  const bytes = Buffer.alloc(30);
  bytes.writeUInt32LE(0x04034b50, 0);
  bytes.writeUInt16LE(20, 4);
  bytes.writeUInt16LE(methodOf(entry), 8);
  bytes.writeUInt32LE(entry.crc ?? crc32(content), 14);
  bytes.writeUInt32LE(packed.length, 18);
  bytes.writeUInt32LE(content.length, 22);
  bytes.writeUInt16LE(name.length, 26);
  return Buffer.concat([bytes, name]);
}

function centralHeader(entry: Entry, content: Buffer, packed: Buffer, offset: number): Buffer {
  const name = Buffer.from(entry.name);
  const extra = entry.zip64 ? Buffer.alloc(28) : Buffer.alloc(0);
  const bytes = Buffer.alloc(46);
  const size = entry.size ?? content.length;
  bytes.writeUInt32LE(0x02014b50, 0);
  bytes.writeUInt16LE(0x031e, 4);
  bytes.writeUInt16LE(entry.flags ?? 0, 8);
  bytes.writeUInt16LE(methodOf(entry), 10);
  bytes.writeUInt32LE(entry.crc ?? crc32(content), 16);
  bytes.writeUInt32LE(entry.zip64 ? 0xffffffff : packed.length, 20);
  bytes.writeUInt32LE(entry.zip64 ? 0xffffffff : size, 24);
  bytes.writeUInt16LE(name.length, 28);
  bytes.writeUInt16LE(extra.length, 30);
  bytes.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 38);
  bytes.writeUInt32LE(entry.zip64 ? 0xffffffff : offset, 42);
  if (entry.zip64) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    [size, packed.length, offset].forEach((value, index) => {
      extra.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
    });
  }
  return Buffer.concat([bytes, name, extra]);
}

function ending(count: number, size: number, offset: number, options: { comment?: string; zip64?: boolean }) {
  const comment = Buffer.from(options.comment ?? '');
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(options.zip64 ? 0xffff : count, 8);
  end.writeUInt16LE(options.zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(options.zip64 ? 0xffffffff : size, 12);
  end.writeUInt32LE(options.zip64 ? 0xffffffff : offset, 16);
  end.writeUInt16LE(comment.length, 20);
  if (!options.zip64) return [end, comment];
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return [record, locator, end, comment];
}

/** CRC-32 (IEEE 802.3), bit by bit. */
export function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
