/** Makes one call of the file system fail, with any of the machine's errors: for a test of what is said then. */
import * as fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { getSystemErrorMap } from 'node:util';

type Call = (...values: unknown[]) => unknown;
type Calls = Record<string, Call>;

const synchronous =
  'open read write close fsync ftruncate rename rm unlink mkdir readdir readFile writeFile stat lstat fstat link copyFile rmdir utimes appendFile'
    .split(' ')
    .map((name) => `${name}Sync`);
const promised =
  'open readFile writeFile stat lstat mkdir readdir rename rm unlink access realpath statfs'.split(' ');
const ofHandles = 'read write readFile writeFile stat sync truncate'.split(' ');

/** The errors of this system, in turn. */
const errors = [...getSystemErrorMap()].map(([errno, [code]]) => ({ errno, code }));

let counting = false;
let seen = 0;
let failing = Number.POSITIVE_INFINITY;
/** The call that failed, in words. */
let failed = '';

/** @throws the next call's error when its turn has come */
function pass(name: string, path: unknown): void {
  if (!counting || seen++ !== failing) return;
  const { errno, code } = errors[failing % errors.length];
  failed = `${name} ${typeof path === 'string' ? path : ''} with ${code}`;
  const place = typeof path === 'string' ? { path } : {};
  throw Object.assign(new Error(`${code}: told to, ${name}`), {
    errno,
    code,
    syscall: name.replace('Sync', ''),
    ...place,
  });
}

function wrap(holder: Calls, names: readonly string[], isAsync: boolean): void {
  for (const name of names) {
    const original = holder[name];
    holder[name] = isAsync
      ? async function (this: unknown, ...values: unknown[]) {
          pass(name, values[0]);
          return original.apply(this, values);
        }
      : function (this: unknown, ...values: unknown[]) {
          pass(name, values[0]);
          return original.apply(this, values);
        };
  }
}

/** From here on calls can fail. */
export async function installFaults(): Promise<void> {
  const handle = await fs.promises.open(process.execPath);
  const prototype = Object.getPrototypeOf(handle) as Calls;
  await handle.close();
  const own = createRequire(import.meta.url)('node:fs') as unknown as Calls & { promises: Calls };
  wrap(own, synchronous, false);
  wrap(own.promises, promised, true);
  wrap(prototype, ofHandles, true);
  syncBuiltinESMExports();
}

/**
 * Runs `work` with its call number `fault` (from 0) failing.
 *
 * @returns the calls that it made, the one that failed, and the error that came of it
 */
export async function withFault(
  fault: number,
  work: () => Promise<unknown>,
): Promise<{ calls: number; failed: string; error?: unknown }> {
  [counting, seen, failing, failed] = [true, 0, fault, ''];
  try {
    await work();
    return { calls: seen, failed };
  } catch (error) {
    return { calls: seen, failed, error };
  } finally {
    counting = false;
  }
}
