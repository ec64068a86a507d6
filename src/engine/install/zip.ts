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
import {
  findDirectory,
  parseDirectory,
  readExactly,
  stored,
  ZipError,
  type ZipMember,
} from './zip-directory.js';

export { ZipError, type ZipMember } from './zip-directory.js';

export interface Zip {
  members: ZipMember[];
  /** The member's content in pieces. Throws a ZipError at its end, at the latest, if it is not whole. */
  read(member: ZipMember): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

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
