/**
 * One writer for a folder or a file: the only lock of the project. It is a file that appears whole (written aside, then
 * linked to its name, which fails when the name is taken) and names its owner with a token of its own. The owner keeps
 * its modification time young.
 *
 * A lock is only ever taken away, by its owner or from a dead one, under a second lock of the same kind,
 * `<name>.takeover`, by a process that holds that and then finds the token it expects. So between the look and the act
 * nobody else's lock can have come to its place. Should the holder of the second lock die on the way, its own lock is
 * taken over by the same rule.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors.js';
import { isRunning, ownIdentity, type ProcessIdentity } from '../process/process-identity.js';
import { makeFolders } from './files.js';
import { fileError } from './system-errors.js';

export interface Lock {
  /**
   * False once another machine, having seen no sign of this process for `staleAfter`, took the lock over, or somebody
   * deleted it: stop writing.
   */
  held(): boolean;
  release(): Promise<void>;
}

export interface WaitOptions {
  /** Called once, when another process holds the lock, with its name: `process 12 on host`. */
  onWait?: (owner: string) => void;
  /** Ends the waiting with an AbortError. */
  signal?: AbortSignal;
  /** Waits between two attempts: about 150 ms, unless a test does it. */
  pause?: (signal?: AbortSignal) => Promise<void>;
}

/** An owner that cannot be asked counts as dead when its lock has not been touched for so long. */
const staleAfter = 120_000;
const beatEvery = 10_000;
/** A guard is held for the few calls of a takeover; a release that finds it taken gives up after this many tries of 10 ms. */
const releaseTries = 500;

/** Another process lives that has the lock, or is about to take it from a dead one: one that waits may try again. */
export class LockTaken extends UserError {}

/**
 * Makes this process the only writer of `folder`, which must exist. Throws LockTaken that names the owner's process
 * and host while another one lives.
 */
export async function lockFolder(folder: string, name = 'run.lock'): Promise<Lock> {
  const path = join(folder, name);
  try {
    const attempt = tryLock(path);
    if ('busy' in attempt) throw inUse(path, attempt.busy);
    return keepLock(attempt);
  } catch (error) {
    throw fileError(error, 'could not lock the folder', folder, { exitCode: 2 });
  }
}

/** Runs `action` while it holds the lock `path`, and waits for the lock first. Makes the lock's folder. */
export async function withLock<T>(
  path: string,
  action: () => Promise<T>,
  options: WaitOptions = {},
): Promise<T> {
  makeFolders(dirname(path));
  const lock = await waitForLock(path, options);
  try {
    return await action();
  } finally {
    await lock.release();
  }
}

async function waitForLock(
  path: string,
  { onWait, signal, pause = pauseBriefly }: WaitOptions,
): Promise<Lock> {
  for (let announced = false; ; announced = true) {
    signal?.throwIfAborted();
    const attempt = tryLock(path);
    if (!('busy' in attempt)) return keepLock(attempt);
    if (!announced) onWait?.(nameOf(attempt.busy));
    await pause(signal);
  }
}

/** Random, so that those who wait do not all look at the same moment. */
const pauseBriefly = (signal?: AbortSignal) => sleep(100 + Math.random() * 100, undefined, { signal });

/** The process that holds a lock; undefined when nobody does, or only a dead process. Leaves the lock alone. */
export function lockOwner(folder: string, name = 'run.lock'): { pid: number; host: string } | undefined {
  try {
    const found = look(join(folder, name), () => fileSystemNow(folder));
    const { pid, host } = found?.owner ?? {};
    return found?.alive && pid !== undefined && host !== undefined ? { pid, host } : undefined;
  } catch {
    // It cannot be read: whoever locks it next will see.
    return undefined;
  }
}

/** A lock that was got, from now on kept young. */
function keepLock(owned: Owned): Lock {
  clearLeftovers(owned);
  // Does not keep the process alive; a step that blocks the thread for minutes delays it, no more.
  const timer = setInterval(() => beat(owned), beatEvery).unref();
  return {
    held: () => isOurs(owned, true),
    release: async () => {
      clearInterval(timer);
      await release(owned);
    },
  };
}

interface Owned {
  path: string;
  handle: number;
  text: string;
}

type Owner = Partial<ProcessIdentity> & { since?: string };

/** One attempt, which waits for nobody. */
function tryLock(path: string): Owned | { busy: Owner } {
  const token = randomBytes(8).toString('hex');
  const text = `${JSON.stringify({ ...ownIdentity(), since: new Date().toISOString(), token })}\n`;
  const written = `${path}.${token}`;
  try {
    fs.writeFileSync(written, text, { flag: 'wx' });
    // A lock that is released between the attempt and the look at its owner is tried again.
    for (;;) {
      if (linkExclusively(written, path)) break;
      const found = look(path, () => fs.statSync(written).mtimeMs);
      if (!found) continue;
      if (found.alive) return { busy: found.owner };
      const taken = takeOver(written, path, found.text);
      if (taken === true) break;
      if (taken) return taken;
    }
  } finally {
    fs.rmSync(written, { force: true });
  }
  return { path, text, handle: fs.openSync(path, 'r+') };
}

/** Gives the file its second name; false when that is taken. */
function linkExclusively(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // Without hard links (FAT, some network shares) the lock is empty for a moment, and young: alive to all who look.
    if (['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(code)) return copyExclusively(from, to);
    throw error;
  }
}

function copyExclusively(from: string, to: string): boolean {
  try {
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

interface Found {
  text: string;
  owner: Owner;
  alive: boolean;
}

/** The lock's owner; undefined when the lock is gone. `now` reads the file system's clock, not this machine's. */
function look(path: string, now: () => number): Found | undefined {
  let text: string;
  let touched: number;
  try {
    text = fs.readFileSync(path, 'utf8');
    touched = fs.statSync(path).mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // A link to nowhere would be looked at for ever.
    if (!fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return undefined;
    throw new UserError('the lock is a symbolic link to nowhere', { place: path, fix: 'remove it' });
  }
  const owner = parseOwner(text);
  return { text, owner: owner ?? {}, alive: (owner && isRunning(owner)) ?? now() - touched < staleAfter };
}

/** The file system's clock, which on a network share is another machine's; ours where nothing can be written. */
function fileSystemNow(folder: string): number {
  const probe = join(folder, `.tmp-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    fs.writeFileSync(probe, '', { flag: 'wx' });
    return fs.statSync(probe).mtimeMs;
  } catch {
    return Date.now();
  } finally {
    fs.rmSync(probe, { force: true });
  }
}

function parseOwner(text: string): (ProcessIdentity & Owner) | undefined {
  try {
    const owner = JSON.parse(text);
    const sound =
      Number.isSafeInteger(owner.pid) &&
      owner.pid > 0 &&
      [owner.host, owner.space, owner.started].every((value) => typeof value === 'string');
    return sound ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the dead lock if it is still the one that was seen, and still dead; or says who else is about to. */
function takeOver(written: string, path: string, seen: string): boolean | { busy: Owner } {
  const guard = tryLock(guardOf(path));
  if ('busy' in guard) return guard;
  try {
    const found = look(path, () => fs.fstatSync(guard.handle).mtimeMs);
    if (found?.text !== seen || found.alive) return false;
    fs.renameSync(written, path);
    return true;
  } finally {
    removeAndClose(guard);
  }
}

const guardOf = (path: string) => `${path}.takeover`;

function nameOf({ pid, host }: Owner): string {
  return pid === undefined ? 'an unknown process' : `process ${pid} on ${host}`;
}

function inUse(path: string, owner: Owner): LockTaken {
  const when = typeof owner.since === 'string' ? `, since ${owner.since.slice(0, 40)}` : '';
  return new LockTaken(`${nameOf(owner)} is writing here${when}`, {
    place: path,
    fix: 'wait for it, stop it, or choose another folder with --out',
  });
}

/** Through the open file, so that it can only ever touch our own lock, and the file system sets its own clock's time. */
function beat({ handle, text }: Owned): void {
  try {
    fs.writeSync(handle, text, 0);
  } catch {
    // A beat that fails is as good as one that is late.
  }
}

/** @param unread the answer where the file is there and cannot be read just now */
function isOurs({ path, text }: Owned, unread = false): boolean {
  try {
    return fs.readFileSync(path, 'utf8') === text;
  } catch (error) {
    return unread && (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** Removes what processes left that were killed while they acquired the lock. */
function clearLeftovers({ path, handle }: Owned): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const now = fs.fstatSync(handle).mtimeMs;
  for (const found of fs.readdirSync(folder)) {
    if (!found.startsWith(prefix) || !/^(takeover\.)*[0-9a-f]{16}$/.test(found.slice(prefix.length)))
      continue;
    const left = look(join(folder, found), () => now);
    if (left && !left.alive) fs.rmSync(join(folder, found), { force: true });
  }
}

/** Gives the lock back, under its guard: a process that found us dead may be replacing it at this moment. */
async function release(owned: Owned): Promise<void> {
  for (let tries = 0; isOurs(owned) && tries < releaseTries; tries++) {
    const guard = tryGuard(owned.path);
    if (guard && 'busy' in guard) {
      await sleep(10);
      continue;
    }
    try {
      if (isOurs(owned)) fs.rmSync(owned.path, { force: true });
    } finally {
      if (guard) removeAndClose(guard);
    }
  }
  // Still there: without a name in it, it ends by its age.
  if (isOurs(owned)) fs.ftruncateSync(owned.handle, 0);
  fs.closeSync(owned.handle);
}

/** Undefined where no guard can be written, as on a full disk: the lock is given back all the same. */
function tryGuard(path: string): ReturnType<typeof tryLock> | undefined {
  try {
    return tryLock(guardOf(path));
  } catch {
    return undefined;
  }
}

/** For a guard, which is held too shortly to be found dead. */
function removeAndClose(guard: Owned): void {
  if (isOurs(guard)) fs.rmSync(guard.path, { force: true });
  fs.closeSync(guard.handle);
}
