/**
 * Reads chosen members out of a zip file (a wheel is one) without trusting it: the directory at its end is read
 * once, every offset is checked against the file, names that would leave a folder are refused, a member that is
 * longer than declared is stopped at once, and its CRC-32 must agree. ZIP64 is understood; encryption, links,
 * several disks and methods other than "stored" and "deflate" are not.
 *
 * Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

export interface ZipMember {
  name: string;
  /** Bytes unpacked, and in the file. */
  size: number;
  packed: number;
  crc: number;
  method: number;
  executable: boolean;
  /** Of its local header in the file. */
  offset: number;
}

/** What is wrong with the file; the caller knows which file and what to do. */
export class ZipError extends Error {
  override name = 'ZipError';
}

export interface Zip {
  members: ZipMember[];
  /** The member's content in pieces. Throws a ZipError at its end, at the latest, if it is not whole. */
  read(member: ZipMember): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

const largestDirectory = 64 * 2 ** 20;
const stored = 0;
const deflated = 8;

/** @throws ZipError when the directory is damaged or holds anything suspicious. */
export async function openZip(path: string): Promise<Zip> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const directory = await findDirectory(file, size);
    const members = parseDirectory(await readExactly(file, directory.offset, directory.size), directory);
    return { members, read: (member) => content(file, member, directory.offset), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Directory {
  offset: number;
  size: number;
  count: number;
}

async function findDirectory(file: FileHandle, fileSize: number): Promise<Directory> {
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

function parseDirectory(bytes: Buffer, directory: Directory): ZipMember[] {
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

async function* content(file: FileHandle, member: ZipMember, limit: number): AsyncIterable<Buffer> {
  const header = await readExactly(file, member.offset, 30);
  const start = member.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (header.readUInt32LE(0) !== 0x04034b50 || start + member.packed > limit) {
    throw new ZipError(`the header of ${member.name} is damaged`);
  }
  const name = await readExactly(file, member.offset + 30, header.readUInt16LE(26));
  if (name.toString('utf8') !== member.name) throw new ZipError(`${member.name} has two names`);

  // As a gzip stream zlib itself checks CRC and length: its header before, the directory's figures behind.
  const source = Readable.from(gzip(file, member, start));
  const inflated = source.pipe(createGunzip({ chunkSize: Math.min(2 ** 20, Math.max(64, member.size)) }));
  source.on('error', (error) => inflated.destroy(error));
  let size = 0;
  try {
    for await (const chunk of inflated) {
      size += chunk.length;
      if (size > member.size) throw new ZipError(`${member.name} is longer than it should be`);
      yield chunk;
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw code.startsWith('Z_')
      ? new ZipError(`${member.name} is damaged (${(error as Error).message})`)
      : error;
  } finally {
    source.destroy();
  }
  if (size !== member.size) throw new ZipError(`${member.name} is shorter than it should be`);
}

async function* gzip(file: FileHandle, member: ZipMember, start: number) {
  yield Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  // A stored member becomes deflate's own "stored" blocks, of 65,535 bytes at most.
  const step = member.method === stored ? 0xffff : 2 ** 20;
  for (let at = 0; at < member.packed; at += step) {
    const chunk = await readExactly(file, start + at, Math.min(step, member.packed - at));
    if (member.method === stored) yield storedBlock(chunk.length, 0);
    yield chunk;
  }
  if (member.method === stored) yield storedBlock(0, 1);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(member.crc, 0);
  trailer.writeUInt32LE(member.size % 2 ** 32, 4);
  yield trailer;
}

function storedBlock(length: number, last: 0 | 1): Buffer {
  const block = Buffer.alloc(5, last);
  block.writeUInt16LE(length, 1);
  block.writeUInt16LE(length ^ 0xffff, 3);
  return block;
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
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
