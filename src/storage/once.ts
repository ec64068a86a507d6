import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';

const heartbeatMs = 5_000;
const staleMs = 60_000;
const pollMs = 200;

/**
 * Runs `action` while holding the lock file `path`, so that of several processes one downloads and the others wait.
 * The lock of a process that has died is taken over: it is gone from this host, or its file has not been touched for a
 * minute.
 */
export async function oneAtATime<T>(path: string, action: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const owner = JSON.stringify({ pid: process.pid, host: hostname() });
  while (!(await create(path, owner))) {
    if (await isAbandoned(path)) await setAside(path);
    else await new Promise((wake) => setTimeout(wake, pollMs));
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, heartbeatMs);
  heartbeat.unref();
  try {
    return await action();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

async function create(path: string, owner: string): Promise<boolean> {
  try {
    await writeFile(path, owner, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs > staleMs) return true;
    const { pid, host } = JSON.parse(await readFile(path, 'utf8'));
    return host === hostname() && Number.isInteger(pid) && !isAlive(pid);
  } catch {
    // Gone, or its owner has yet to write into it.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Renamed before it is removed: of two that find it abandoned, one only succeeds. */
async function setAside(path: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  await rename(path, aside).catch(() => undefined);
  await rm(aside, { force: true });
}
