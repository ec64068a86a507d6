/** The module of a user's own task: its place, which is relative to the file that names it, and its content's hash. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { UserError } from '../errors.js';

export interface TaskModule {
  module: string;
  sha256?: string;
}

/**
 * The module with an absolute path and with its hash. One that was written down with its hash need not be there: tables
 * are made of results whose module is elsewhere.
 *
 * @param file the file that names it
 * @throws {UserError} when it cannot be read, with `place`
 */
export function settleModule<Module extends TaskModule>(
  task: Module,
  file: string,
  place: string,
): Module & { sha256: string } {
  const module = resolve(dirname(file), task.module);
  return { ...task, module, sha256: task.sha256 ?? hashOf(module, place) };
}

/** The sha256 of a module's text. @throws {UserError} when it cannot be read */
export function hashOf(module: string, place: string): string {
  try {
    return createHash('sha256').update(readFileSync(module)).digest('hex');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`the task's module ${module} cannot be read (${code})`, {
      place,
      fix: 'set task.module to an ES module, relative to the folder of the file that names it',
      cause: error,
    });
  }
}

/** The module's path as a file in `folder` names it: `./tasks/mine.mjs`. */
export function modulePathFrom(folder: string, module: string): string {
  const path = relative(folder, module).split(sep).join('/');
  return path.startsWith('.') ? path : `./${path}`;
}
