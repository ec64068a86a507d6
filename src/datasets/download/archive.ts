import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import tar from 'tar-stream';
import { UserError } from '../../errors.js';
import { diskFileSystem, makeFolders, syncFolder } from '../../storage/files.js';
import { fileError, isSystemError } from '../../storage/system-errors.js';

/**
 * The files to take out of an archive: members of `folder` with these names and exact sizes, or all whose names below
 * `folder` match a pattern. Nothing else in it is written anywhere.
 */
export type Wanted = { folder: string } & (
  | { sizes: Record<string, number> }
  | {
      pattern: RegExp;
      /** The number of members that match. */
      count: number;
      /** A limit for their sizes together. */
      bytes: number;
    }
);

// Beside the wanted members an archive holds folders and a read-me file or two; the bytes are for those and for padding.
const spareMembers = 100;
const spareBytes = 16 * 2 ** 20;

/**
 * Reads a .tar.gz as a stream and puts the wanted members as plain files into the folder `target`, which appears whole
 * or not at all. Names in the archive are compared, never used as paths.
 *
 * @throws {UserError} at a link or device, a wrong size, a member that is missing or there twice, more bytes than the
 * wanted members explain, or an archive that is cut short or no .tar.gz; `target` is then as it was
 */
export async function unpack(archive: string, wanted: Wanted, target: string): Promise<void> {
  const scratch = join(dirname(target), `.${randomBytes(6).toString('hex')}.unpacking`);
  makeFolders(scratch);
  try {
    await writeMembers(archive, wanted, scratch);
    await rename(scratch, target).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster: its folder came about the same way.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    syncFolder(diskFileSystem, dirname(target));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (isSystemError(error))
      throw fileError(error, 'the archive cannot be unpacked', target, { exitCode: 2 });
    throw broken(archive, (error as Error).message, error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function broken(archive: string, problem: string, cause?: unknown): UserError {
  return new UserError(`not a sound archive: ${problem}`, {
    place: archive,
    fix: 'remove it and fetch it again',
    cause,
  });
}

async function writeMembers(archive: string, wanted: Wanted, scratch: string): Promise<void> {
  const { bytes, count } = extentOf(wanted);
  const limit = bytes + spareBytes;
  const memberLimit = count + spareMembers;
  const extract = tar.extract();
  const reading = pipeline(createReadStream(archive), createGunzip(), boundedBytes(archive, limit), extract);
  const done = new Set<string>();
  let members = 0;
  const taking = (async () => {
    for await (const entry of extract) {
      const { name, type, size = 0 } = entry.header;
      if (++members > memberLimit) throw broken(archive, `more than ${memberLimit} members`);
      if (type !== 'file' && type !== 'directory') {
        throw broken(archive, `${JSON.stringify(name.slice(0, 200))} is a ${type}, not a file`);
      }
      const file = wantedName(wanted, name);
      if (file === undefined || type === 'directory') {
        entry.resume();
        continue;
      }
      if (done.has(file)) throw broken(archive, `${file} is there twice`);
      if ('sizes' in wanted && size !== wanted.sizes[file]) {
        throw broken(archive, `${file} has ${size} bytes, expected ${wanted.sizes[file]}`);
      }
      await mkdir(dirname(join(scratch, file)), { recursive: true });
      await writeFile(join(scratch, file), entry, size);
      done.add(file);
    }
  })();
  // A failure of either side has to end the other, or it would wait for ever.
  taking.catch((error) => extract.destroy(error));
  const [read, taken] = await Promise.allSettled([reading, taking]);
  const failures = [taken, read].flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failures.length > 0) throw failures.find((reason) => reason instanceof UserError) ?? failures[0];
  const missing = 'sizes' in wanted ? Object.keys(wanted.sizes).filter((file) => !done.has(file)) : [];
  if (missing.length > 0) throw broken(archive, `${missing.join(', ')} missing`);
  if (done.size !== count) throw broken(archive, `${done.size} files found in it, expected ${count}`);
  syncFolder(diskFileSystem, scratch);
}

function extentOf(wanted: Wanted): { bytes: number; count: number } {
  if ('pattern' in wanted) return wanted;
  const sizes = Object.values(wanted.sizes);
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), count: sizes.length };
}

/** The member's name below the folder, if it is wanted. */
function wantedName(wanted: Wanted, name: string): string | undefined {
  const plain = name.replace(/^\.\//, '');
  if (!plain.startsWith(`${wanted.folder}/`)) return undefined;
  const file = plain.slice(wanted.folder.length + 1);
  const isWanted = 'sizes' in wanted ? Object.hasOwn(wanted.sizes, file) : wanted.pattern.test(file);
  return isWanted ? file : undefined;
}

/** Passes bytes on until there are more than an honest archive could hold. */
function boundedBytes(archive: string, limit: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      seen += chunk.length;
      if (seen > limit) callback(broken(archive, `unpacks to more than ${limit} bytes`));
      else callback(null, chunk);
    },
  });
}

async function writeFile(path: string, content: AsyncIterable<unknown>, size: number): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    let written = 0;
    for await (const piece of content) {
      const chunk = piece as Buffer;
      await file.writeFile(chunk);
      written += chunk.length;
    }
    if (written !== size) throw new Error(`${path} is cut short`);
    await file.sync();
  } finally {
    await file.close();
  }
}
