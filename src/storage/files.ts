/**
 * Files that appear whole or not at all. A run's durable state goes through the interface `FileSystem`, so that a test can
 * fail each of its calls in turn and look at what is left.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Synchronous: a step blocks the thread anyway, and the order of the calls is what durability rests on. */
export interface FileSystem {
  makeFolder(path: string): void;
  /** Opens for `write` (created, must not exist), `append` (created if missing) or `read` (folders too). */
  open(path: string, mode: 'write' | 'append' | 'read'): number;
  /** Returns the bytes taken, which may be fewer than given. */
  write(handle: number, bytes: Uint8Array): number;
  truncate(handle: number, size: number): void;
  sync(handle: number): void;
  close(handle: number): void;
  rename(from: string, to: string): void;
  /** A file, or a folder with all in it; a link is removed, not followed. Missing is fine. */
  remove(path: string): void;
  list(path: string): string[];
  read(path: string): Uint8Array;
}

// Through a symbolic link nothing is ever written: a results folder from elsewhere must not reach out of itself.
const noFollow = fs.constants.O_NOFOLLOW ?? 0;
const flags = {
  write: fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | noFollow,
  append: fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_APPEND | noFollow,
  read: fs.constants.O_RDONLY,
};

export const diskFileSystem: FileSystem = {
  makeFolder: (path) => void makeFolders(path),
  open: (path, mode) => fs.openSync(path, flags[mode], 0o644),
  write: (handle, bytes) => fs.writeSync(handle, bytes),
  truncate: (handle, size) => fs.ftruncateSync(handle, size),
  sync: (handle) => fs.fsyncSync(handle),
  close: (handle) => fs.closeSync(handle),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.rmSync(path, { recursive: true, force: true }),
  list: (path) => fs.readdirSync(path),
  read: (path) => fs.readFileSync(path),
};

/**
 * Makes a folder and those above it; returns the topmost that was missing. Node's own `recursive` never returns where
 * the system denies that a folder can be made with ENOENT, as under /proc.
 */
export function makeFolders(path: string, mode = 0o777): string | undefined {
  let above: string | undefined;
  const parent = dirname(path);
  if (parent !== path && !fs.existsSync(parent)) above = makeFolders(parent, mode);
  try {
    fs.mkdirSync(path, mode);
    return above ?? path;
  } catch (error) {
    // Another process may be making the same folders.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && fs.statSync(path).isDirectory()) return above;
    throw error;
  }
}

/** Writes all of the parts, syncs and closes. */
export function writeWhole(
  files: FileSystem,
  path: string,
  parts: readonly Uint8Array[],
  mode: 'write' | 'append' = 'write',
): void {
  const handle = files.open(path, mode);
  try {
    for (const part of parts) writeAll(files, handle, part);
    files.sync(handle);
  } finally {
    files.close(handle);
  }
}

/** `write` may take fewer bytes than it is given, as on a disk that is nearly full. */
export function writeAll(files: FileSystem, handle: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += files.write(handle, bytes.subarray(done));
}

/** Makes created, renamed and removed names in a folder durable. Windows can't, and needs no telling. */
export function syncFolder(files: FileSystem, folder: string): void {
  if (process.platform === 'win32') return;
  const handle = files.open(folder, 'read');
  try {
    files.sync(handle);
  } finally {
    files.close(handle);
  }
}

/** A file, given whole or in parts, that is there whole or not at all: temporary name, sync, rename, sync of the folder. Errors are the system's own. */
export function replaceFile(
  path: string,
  content: string | Uint8Array | readonly Uint8Array[],
  files: FileSystem = diskFileSystem,
): void {
  const parts = typeof content === 'string' ? [Buffer.from(content)] : content;
  const temporary = join(dirname(path), `.tmp-${process.pid}-${Math.random().toString(36).slice(2, 10)}`);
  try {
    writeWhole(files, temporary, parts instanceof Uint8Array ? [parts] : parts);
    files.rename(temporary, path);
  } catch (error) {
    removeQuietly(files, temporary);
    throw error;
  }
  syncFolder(files, dirname(path));
}

/** As `replaceFile`, for a cache: a crash may lose the file, but never leaves half of it. Nobody waits for the disk. */
export async function placeFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(temporary, content, { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Flushes a folder's entries as far as its file system can; for folders whose files were flushed already. */
export async function trySyncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** For clearing up behind an error that matters more than this one's. */
export function removeQuietly(files: FileSystem, path: string): void {
  try {
    files.remove(path);
  } catch {
    // The error that led here is the one to report.
  }
}
