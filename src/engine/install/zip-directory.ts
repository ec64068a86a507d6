/** The directory at the end of a zip file (PKWARE's APPNOTE.TXT 6.3.10, section 4.3), checked before it is believed. */
import type { FileHandle } from 'node:fs/promises';

export interface ZipMember {
  name: string;
  /** Bytes unpacked, and in the file. */
  size: number;
  packed: number;
  crc: number;
  method: number;
  executable: boolean;
  /** The offset of its local header in the file. */
  offset: number;
}

/** An error in the file; the caller knows which file and what to do. */
export class ZipError extends Error {
  override name = 'ZipError';
}

const largestDirectory = 64 * 2 ** 20;
export const stored = 0;
const deflated = 8;

/** The position of the directory, and how many members it should list. */
export interface Directory {
  offset: number;
  size: number;
  count: number;
}

export async function findDirectory(file: FileHandle, fileSize: number): Promise<Directory> {
  const tailSize = Math.min(fileSize, 22 + 0xffff);
  const tail = await readExactly(file, fileSize - tailSize, tailSize);
  let at = tailSize - 22;
  while (
    at >= 0 &&
    !(tail.readUInt32LE(at) === 0x06054b50 && at + 22 + tail.readUInt16LE(at + 20) === tailSize)
  )
    at--;
  if (at < 0) throw new ZipError('it has no directory at its end: it is truncated, or no zip file');
  const end = fileSize - tailSize + at;
  if (tail.readUInt16LE(at + 4) !== 0 || tail.readUInt16LE(at + 6) !== 0)
    throw new ZipError('it spans several disks');
  const directory = {
    count: tail.readUInt16LE(at + 10),
    size: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  };
  const found = at >= 20 && tail.readUInt32LE(at - 20) === 0x07064b50;
  const result = found
    ? await zip64Directory(file, safeNumber(tail.readBigUInt64LE(at - 12)), end)
    : directory;
  if (result.offset + result.size > end) throw new ZipError('its directory leaves the file');
  if (result.size > largestDirectory) throw new ZipError('its directory is larger than 64 MiB');
  return result;
}

async function zip64Directory(file: FileHandle, offset: number, end: number): Promise<Directory> {
  if (offset + 56 > end) throw new ZipError('its ZIP64 record leaves the file');
  const record = await readExactly(file, offset, 56);
  if (record.readUInt32LE(0) !== 0x06064b50) throw new ZipError('its ZIP64 record is damaged');
  return {
    count: safeNumber(record.readBigUInt64LE(32)),
    size: safeNumber(record.readBigUInt64LE(40)),
    offset: safeNumber(record.readBigUInt64LE(48)),
  };
}

export function parseDirectory(bytes: Buffer, directory: Directory): ZipMember[] {
  const members: ZipMember[] = [];
  const names = new Set<string>();
  let at = 0;
  while (at < bytes.length) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50)
      throw new ZipError('its directory is damaged');
    const lengths = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const next = at + 46 + lengths[0] + lengths[1] + lengths[2];
    if (next > bytes.length) throw new ZipError('its directory is damaged');
    const member = parseEntry(bytes.subarray(at, next), lengths[0], lengths[1]);
    if (member.offset + 30 + member.packed > directory.offset)
      throw new ZipError(`${member.name} leaves the file`);
    if (names.has(member.name)) throw new ZipError(`it holds ${member.name} twice`);
    names.add(member.name);
    members.push(member);
    at = next;
  }
  if (members.length !== directory.count) {
    throw new ZipError(`it should hold ${directory.count} members and holds ${members.length}`);
  }
  const byOffset = [...members].sort((a, b) => a.offset - b.offset);
  byOffset.slice(1).forEach((member, index) => {
    const before = byOffset[index];
    // Members that share their bytes make a small file unpack to any size.
    if (before.offset + 30 + before.packed > member.offset)
      throw new ZipError(`${member.name} overlaps another`);
  });
  return members;
}

function parseEntry(entry: Buffer, nameLength: number, extraLength: number): ZipMember {
  const name = entry.toString('utf8', 46, 46 + nameLength);
  checkName(name);
  const flags = entry.readUInt16LE(8);
  const unixMode = entry.readUInt32LE(38) >>> 16;
  const kind = unixMode & 0o170000;
  if (kind !== 0 && kind !== 0o100000 && kind !== 0o040000)
    throw new ZipError(`${name} is a link or a device`);
  if (flags & 0x2041) throw new ZipError(`${name} is encrypted`);
  const sizes = zip64Sizes(entry, entry.subarray(46 + nameLength, 46 + nameLength + extraLength), name);
  const method = entry.readUInt16LE(10);
  if (method !== stored && method !== deflated)
    throw new ZipError(`${name} is packed by the unknown method ${method}`);
  if (method === stored && sizes.size !== sizes.packed) throw new ZipError(`${name} has two sizes`);
  return { name, method, crc: entry.readUInt32LE(16), executable: (unixMode & 0o111) !== 0, ...sizes };
}

/** The three numbers that may stand in the entry as 0xffffffff and in the ZIP64 field in full. */
function zip64Sizes(entry: Buffer, extra: Buffer, name: string) {
  const values = {
    size: entry.readUInt32LE(24),
    packed: entry.readUInt32LE(20),
    offset: entry.readUInt32LE(42),
  };
  let field: Buffer = Buffer.alloc(0);
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1) field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  }
  let at = 0;
  for (const key of ['size', 'packed', 'offset'] as const) {
    if (values[key] !== 0xffffffff) continue;
    if (at + 8 > field.length) throw new ZipError(`${name} lacks its ZIP64 sizes`);
    values[key] = safeNumber(field.readBigUInt64LE(at));
    at += 8;
  }
  return values;
}

/** Only plain relative paths with `/`: nothing that would land outside of the folder it is unpacked to. */
function checkName(name: string) {
  const parts = name.replace(/\/$/, '').split('/');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  const plain = /^[^\\:\u0000-\u001f\u007f\ufffd]+$/.test(name) && name.length <= 1000;
  if (!plain || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new ZipError(`it holds a member with the unsafe name ${JSON.stringify(name)}`);
  }
}

/** @throws ZipError when the file ends before */
export async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) throw new ZipError('it ends too early');
    done += bytesRead;
  }
  return buffer;
}

function safeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ZipError('it holds an impossible size');
  return Number(value);
}
