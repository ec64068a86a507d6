import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { fileError } from '../storage/system-errors.js';
import type { CifarVersion } from './checksums.js';

/** Bytes of a record: label (CIFAR-100: two), then red, green and blue plane of 32×32. */
export const recordBytes = (version: CifarVersion) => version.labelBytes + 3 * 32 * 32;

/** One file of records, checked: its size, and that every label is one of the classes. */
export interface CifarFile {
  name: string;
  records: Buffer;
  sha256: string;
  /** True when it is the published file, byte for byte. */
  official: boolean;
}

/** Reads and checks one file of records. @throws {UserError} naming path, what was expected and what was found */
export async function readCifarFile(version: CifarVersion, folder: string, name: string): Promise<CifarFile> {
  const path = join(folder, name);
  const step = recordBytes(version);
  const records = await readWhole(path, version.records[name] * step, version);
  for (let at = version.labelAt, record = 0; at < records.length; at += step, record++) {
    if (records[at] >= version.classes) {
      throw new UserError(
        `record ${record} has label ${records[at]}, expected one of 0 to ${version.classes - 1}`,
        { place: path, fix: replaceFix(version) },
      );
    }
  }
  const sha256 = createHash('sha256').update(records).digest('hex');
  return { name, records, sha256, official: sha256 === version.sha256[name] };
}

/** The bytes of a file that has to have exactly `bytes` of them; no more than that is ever read. */
async function readWhole(path: string, bytes: number, version: CifarVersion): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    // Before opening it: to open a named pipe would wait for its writer.
    const found = await stat(path);
    if (!found.isFile()) throw new UserError('not a file', { place: path, fix: replaceFix(version) });
    file = await open(path);
    const size = (await file.stat()).size;
    const content = Buffer.allocUnsafe(size === bytes ? bytes : 0);
    let filled = 0;
    while (filled < content.length) {
      const { bytesRead } = await file.read(content, filled, content.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (size !== bytes || filled !== bytes) {
      const amount = size > bytes ? 'oversized' : 'truncated';
      throw new UserError(
        `${amount}: expected ${bytes.toLocaleString('en')} bytes, found ${(size === bytes ? filled : size).toLocaleString('en')}`,
        { place: path, fix: replaceFix(version) },
      );
    }
    return content;
  } catch (error) {
    if (error instanceof UserError) throw error;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw fileError(error, 'cannot be read', path, { exitCode: 2 });
    const python = await stat(path.replace(/\.bin$/, '')).catch(() => undefined);
    throw new UserError(python ? 'missing data file: here is the version for Python' : 'missing data file', {
      place: path,
      fix: replaceFix(version),
      cause: error,
    });
  } finally {
    await file?.close();
  }
}

function replaceFix(version: CifarVersion): string {
  return `replace it with the published file, or remove the folder ${version.folder} and run "gnbench data fetch ${version.name}"`;
}
