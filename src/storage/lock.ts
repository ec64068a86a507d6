/**
 * One writer for a folder. The lock is a file that appears whole (written aside, then linked to its name, which fails
 * when the name is taken) and names its owner. The owner keeps its modification time young.
 *
 * A dead owner's lock is taken over under a second lock of the same kind, `<name>.takeover`: of all who find the owner
 * dead, one holds that, looks again and replaces the file in one call. Should it die on the way, its own lock is taken
 * over by the same rule.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { isRunning, ownIdentity, type ProcessIdentity } from '../process/process-identity.js';
import { fileError } from './files.js';

export interface Lock {
  /**
   * False once another machine, having seen no sign of this process for `staleAfter`, took the lock over, or somebody
   * deleted it: stop writing.
   */
  held(): boolean;
  release(): Promise<void>;
}

/** Where the owner can't be asked, its lock is dead when it has not been touched for so long. */
const staleAfter = 120_000;
const beatEvery = 10_000;

/**
 * Makes this process the only writer of `folder`, which must exist. Throws UserError that names the owner's process
 * and host while another one lives.
 */
export async function lockFolder(folder: string, name = 'run.lock'): Promise<Lock> {
  const path = join(folder, name);
  let owned: Owned;
  try {
    owned = acquire(path);
    clearLeftovers(folder, name);
  } catch (error) {
    throw fileError(error, 'could not lock the folder', folder, 2);
  }
  // Does not keep the process alive; a step that blocks the thread for minutes delays it, no more.
  const timer = setInterval(() => beat(owned), beatEvery).unref();
  return {
    held: () => isOurs(owned, true),
    release: async () => {
      clearInterval(timer);
      release(owned);
    },
  };
}

interface Owned {
  path: string;
  handle: number;
  text: string;
}

function acquire(path: string): Owned {
  const token = randomBytes(8).toString('hex');
  const text = `${JSON.stringify({ ...ownIdentity(), since: new Date().toISOString(), token })}\n`;
  const written = `${path}.${token}`;
  try {
    fs.writeFileSync(written, text, { flag: 'wx' });
    // A lock that is released between the attempt and the look at its owner is tried again.
    for (;;) {
      if (linkExclusively(written, path)) break;
      const found = look(path, fs.statSync(written).mtimeMs);
      if (!found) continue;
      if (found.alive) throw inUse(path, found.owner);
      if (takeOver(written, path, found.text)) break;
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
  owner: Partial<ProcessIdentity> & { since?: string };
  alive: boolean;
}

/** The lock's owner; undefined when the lock is gone. `now` is the file system's clock, not this machine's. */
function look(path: string, now: number): Found | undefined {
  let text: string;
  let age: number;
  try {
    text = fs.readFileSync(path, 'utf8');
    age = now - fs.statSync(path).mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const owner = parseOwner(text);
  return { text, owner: owner ?? {}, alive: (owner && isRunning(owner)) ?? age < staleAfter };
}

function parseOwner(text: string): (ProcessIdentity & { since?: string }) | undefined {
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

/** Replaces the dead lock if it is still the one that was seen. */
function takeOver(written: string, path: string, seen: string): boolean {
  const guard = acquire(`${path}.takeover`);
  try {
    if (look(path, 0)?.text !== seen) return false;
    fs.renameSync(written, path);
    return true;
  } finally {
    release(guard);
  }
}

function inUse(path: string, { pid, host, since }: Found['owner']): UserError {
  const owner = pid === undefined ? 'an unknown process' : `process ${pid} on ${host}`;
  const when = typeof since === 'string' ? `, since ${since.slice(0, 40)}` : '';
  return new UserError(`${owner} is writing here${when}`, {
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

/** What processes left that were killed while they acquired the lock. */
function clearLeftovers(folder: string, name: string): void {
  for (const found of fs.readdirSync(folder)) {
    if (!found.startsWith(`${name}.`) || !/^[0-9a-f]{16}$/.test(found.slice(name.length + 1))) continue;
    const left = look(join(folder, found), Date.now());
    if (left && !left.alive) fs.rmSync(join(folder, found), { force: true });
  }
}

function release(owned: Owned): void {
  if (isOurs(owned)) fs.rmSync(owned.path, { force: true });
  fs.closeSync(owned.handle);
}
