/**
 * One builder at a time in a folder that several processes, perhaps on several hosts, share. The lock saves work and
 * keeps builders from tidying up each other's half-built folders; what is published is whole without it too.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

interface Owner {
  id: string;
  /** Host name and, on Linux, the process namespace: a container's process numbers mean nothing outside. */
  host: string;
  pid: number;
  /** The kernel's start time of the process, so that a number used again is not taken for its former holder. */
  started: string;
}

export interface LockOptions {
  /** Called once, if somebody else holds the lock, with who. */
  onWait?: (owner: string) => void;
  signal?: AbortSignal;
  /** Milliseconds between signs of life, and until an owner without one counts as dead. */
  heartbeat?: number;
  patience?: number;
}

/** Waits until `path` is ours, and returns how to give it back. A dead owner's lock is taken over. */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const { heartbeat = 5000, patience = 60_000 } = options;
  const owner: Owner = { id: randomUUID(), host: host(), pid: process.pid, started: startTime(process.pid) };
  let told = false;
  while (!(await create(path, owner))) {
    const other = await readOwner(path);
    if (other && (await isDead(path, other, patience))) {
      await takeAway(path, other);
      continue;
    }
    if (other && !told) options.onWait?.(`process ${other.pid} on ${other.host.split(' ')[0]}`);
    told ||= other !== undefined;
    await wait(100 + Math.random() * 100, undefined, { signal: options.signal });
  }
  const timer = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), heartbeat);
  timer.unref();
  return async () => {
    clearInterval(timer);
    if ((await readOwner(path))?.id === owner.id) await rm(path, { force: true });
  };
}

async function create(path: string, owner: Owner): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(owner), { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The owner; one without an id while the file is being written; nothing if there is none any more. */
async function readOwner(path: string): Promise<Owner | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return { id: '', host: 'an unknown host', pid: 0, started: '' };
  }
}

async function isDead(path: string, owner: Owner, patience: number): Promise<boolean> {
  if (owner.host === host() && owner.pid > 0 && startTime(owner.pid) !== owner.started) return true;
  const facts = await stat(path).catch(() => undefined);
  return facts !== undefined && Date.now() - facts.mtimeMs > patience;
}

/** Two that find the same dead owner must not take the lock away from the one of them who was faster. */
async function takeAway(path: string, dead: Owner) {
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside).catch(() => {});
  const moved = await readOwner(aside);
  if (moved && moved.id !== dead.id) await rename(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

let thisHost: string | undefined;

function host(): string {
  if (thisHost === undefined) {
    let namespace = '';
    try {
      namespace = ` ${readlinkSync('/proc/self/ns/pid')}`;
    } catch {
      // not Linux
    }
    thisHost = hostname() + namespace;
  }
  return thisHost;
}

/** When a process started, in the system's own unit; '' when there is none with that number. */
function startTime(pid: number): string {
  try {
    // Field 22 of proc(5)'s stat; the second one, in parentheses, may itself hold spaces.
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')[19];
  } catch {
    if (process.platform === 'linux') return '';
  }
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'alive' : '';
  }
}
