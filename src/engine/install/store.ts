/**
 * The engine's folder in the cache. Everything in it is a folder that appears whole: built under another name,
 * flushed to disk, given `complete.json` with the checksums of its files last, and then renamed. What has no
 * sound `complete.json` was never there.
 */
import { chmod, lstat, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../cache.js';
import { UserError } from '../../errors.js';
import { exitCodes } from '../../process/signals.js';
import { makeFolders, trySyncFolder } from '../../storage/files.js';
import { withLock } from '../../storage/lock.js';
import { fileError, isSystemError } from '../../storage/system-errors.js';
import { type FileFacts, writeDurably } from './checksum.js';

/** `complete.json`. */
export interface Complete {
  format: 1;
  /** The parts it was made of: versions, wheels, compiler. */
  facts: Record<string, string>;
  /** By path, relative to the folder, with `/`. Their sizes are compared at every start. */
  files: Record<string, FileFacts>;
}

const marker = 'complete.json';
const partial = '.partial-';

export const engineFolder = (): string => join(cacheFolder(), 'engine');

/**
 * Reads the `complete.json` of a folder, if it has one and its files are there in their full size; `undefined`
 * otherwise. It reads no content: `verify` does.
 */
export async function readComplete(folder: string): Promise<Complete | undefined> {
  try {
    const complete = JSON.parse(await readFile(join(folder, marker), 'utf8')) as Complete;
    if (complete.format !== 1) return undefined;
    const sound = await Promise.all(
      Object.entries(complete.files).map(
        async ([path, { size }]) => (await stat(join(folder, path))).size === size,
      ),
    );
    return sound.every(Boolean) ? complete : undefined;
  } catch {
    return undefined;
  }
}

/** Makes the engine's folder where it is missing, closed for other users' writing. */
export async function prepareStore(): Promise<string> {
  const folder = engineFolder();
  try {
    // Whatever the umask, what is made is for its owner to write alone; a folder that is there may be a group's.
    makeFolders(folder, 0o755);
    const { mode, uid } = await stat(folder);
    if (mode & 0o022 && uid === process.getuid?.()) await chmod(folder, mode & 0o7755);
  } catch (error) {
    throw storeError(error);
  }
  await checkOwnership();
  return folder;
}

/**
 * Checks that nobody else can have put files into the cache, since they are loaded into the process.
 * @throws UserError when the engine's folder can be written by others, or belongs to somebody else than this user,
 * root, or the owner of the cache folder.
 */
export async function checkOwnership(): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = engineFolder();
  const [engine, cache] = await Promise.all([lstat(folder), stat(cacheFolder())]);
  if (engine.isSymbolicLink()) throw new UserError('the engine folder is a symbolic link', { place: folder });
  if (![process.getuid?.(), 0, cache.uid].includes(engine.uid)) {
    throw new UserError('the engine in the cache belongs to another user', {
      place: folder,
      fix: 'set GNBENCH_CACHE to a folder of your own',
    });
  }
  if (engine.mode & 0o022) {
    throw new UserError('the engine in the cache can be changed by other users', {
      place: folder,
      fix: `chmod -R go-w ${folder}`,
    });
  }
}

/**
 * Builds the folder `name` and puts it in place at once. `build` fills an empty folder and returns what
 * `complete.json` says; whatever stops it leaves nothing behind under `name`.
 */
export async function publish(
  name: string,
  build: (folder: string) => Promise<Pick<Complete, 'facts' | 'files'>>,
): Promise<string> {
  const store = await prepareStore();
  const target = join(store, name);
  const scratch = await mkdtemp(join(store, `${partial}${process.pid}-`)).catch((error) => {
    throw storeError(error);
  });
  try {
    await chmod(scratch, 0o755); // mkdtemp's 0700 would shut out those whom a shared cache is for
    const complete: Complete = { format: 1, ...(await build(scratch)) };
    await writeDurably(join(scratch, marker), `${JSON.stringify(complete, null, 2)}\n`);
    await trySyncFolder(scratch);
    await replace(scratch, target);
    await trySyncFolder(store);
    return target;
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    throw storeError(error);
  }
}

async function replace(scratch: string, target: string) {
  const old = `${scratch}-old`;
  // A folder that is in use stays whole for those who have it open; its name goes to the new one.
  await rename(target, old).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(scratch, target);
  await rm(old, { recursive: true, force: true });
}

/** Removes what builders left that were killed. Only the holder of the lock may call it. */
export async function removePartial(): Promise<void> {
  const store = engineFolder();
  for (const name of await readdir(store)) {
    if (!name.startsWith(partial)) continue;
    // A download of a killed builder may still write there; the next builder gets it.
    await rm(join(store, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** A file-system error in the cache as a sentence; other errors as they are. */
export function storeError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const fix = 'set GNBENCH_CACHE to a folder that is writable and has the room';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new UserError('the disk that holds the cache is full', {
      place: cacheFolder(),
      fix,
      exitCode: 1,
      cause: error,
    });
  }
  if (!isSystemError(error)) return error;
  const another = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(error.code) ? { fix } : {};
  return fileError(error, 'the cache folder cannot be written', cacheFolder(), another);
}

/** Lists the thousands of headers with sizes and checksums, beside a `complete.json` that stays short. */
export const headerList = 'headers.json';

/**
 * Does `work` in the cache's folder, as soon as no other process changes it; what an interrupted one left there goes first.
 * @param options.what that which is set up, for those who wait and for the message when it is interrupted
 * @throws UserError when a signal ends it, with the signal's exit code
 */
export async function storeAlone(
  work: (signal: AbortSignal) => Promise<void>,
  { what, say }: { what: string; say: (line: string) => void },
): Promise<void> {
  await prepareStore();
  await untilSignal(what, async (signal) => {
    const build = async () => {
      await removePartial();
      await work(signal);
    };
    const onWait = (owner: string) => say(`waiting for ${owner}, which is setting up something there`);
    await withLock(join(engineFolder(), 'lock'), build, { signal, onWait });
  });
}

/** Runs `work`; a signal that asks the process to end ends it and what it has started, and tidies up. */
async function untilSignal(what: string, work: (signal: AbortSignal) => Promise<void>) {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => stop.abort(name);
  const names = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.on(name, onSignal);
  try {
    await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw storeError(error);
    const name = stop.signal.reason as (typeof names)[number];
    throw new UserError(`interrupted by ${name} while setting up ${what}`, {
      fix: 'the same command again starts it anew',
      exitCode: exitCodes[name],
      cause: error,
    });
  } finally {
    for (const name of names) process.off(name, onSignal);
  }
}
