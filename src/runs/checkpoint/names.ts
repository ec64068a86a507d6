/** The names in a `checkpoints/` folder: which is newer, which is free, which may go. */
import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isAlive } from '../../process/process-identity.js';
import type { FileSystem } from '../../storage/files.js';

export const tensorsFile = 'tensors.safetensors';
export const stateFile = 'state.json';
export const manifestFile = 'manifest.json';

/** `step-000001234`, or `step-000001234-2` for the third save at that step: [step, count]. */
export function position(name: string): [step: number, again: number] | undefined {
  const match = /^step-(\d{9,15})(?:-(\d{1,9}))?$/.exec(name);
  return match ? [Number(match[1]), Number(match[2] ?? 0)] : undefined;
}

/** Oldest first. */
export function checkpointNames(names: readonly string[]): string[] {
  return names
    .filter((name) => position(name))
    .sort((a, b) => {
      const [stepA, againA] = position(a)!;
      const [stepB, againB] = position(b)!;
      return stepA - stepB || againA - againB;
    });
}

/** A folder can't be replaced in one call, so a checkpoint of a step that has one gets a name of its own. */
export function freshName(names: readonly string[], step: number): string {
  const taken = names.map(position).filter((found) => found?.[0] === step);
  const name = `step-${String(step).padStart(9, '0')}`;
  return taken.length === 0 ? name : `${name}-${1 + Math.max(...taken.map((found) => found![1]))}`;
}

/**
 * Removes all but the last `keep`. Those of later steps are damaged (else the run would have resumed there) and are
 * set aside under another name, out of the way of the next load.
 */
export function prune(
  files: FileSystem,
  folder: string,
  names: readonly string[],
  saved: string,
  keep: number,
): void {
  const ordered = checkpointNames(names);
  const index = ordered.indexOf(saved);
  for (const name of ordered.slice(index + 1)) {
    files.rename(join(folder, name), join(folder, `damaged-${name}-${randomBytes(4).toString('hex')}`));
  }
  for (const name of ordered.slice(0, Math.max(0, index + 1 - Math.max(1, keep)))) {
    // Renamed first: a kill in the middle of the removal leaves no half checkpoint under a good name.
    const condemned = join(folder, `.tmp-${process.pid}-${name}`);
    files.rename(join(folder, name), condemned);
    files.remove(condemned);
  }
}

/** Removes the files of writers that were killed in the middle of a save. */
export function clearLeftovers(files: FileSystem, folder: string, names: readonly string[]): void {
  for (const name of names) {
    const pid = /^\.tmp-(\d{1,10})-/.exec(name)?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid))))
      files.remove(join(folder, name));
  }
}

/** True when a path inside `checkpoints/` is a checkpoint, whole or not, with nothing in it but files of our own. */
export function isOwnCheckpoint(path: string): boolean {
  const known = [tensorsFile, stateFile, manifestFile];
  if (!/^(damaged-)?step-|^\.tmp-/.test(basename(path))) return false;
  const found = lstatSync(path);
  return found.isDirectory() && readdirSync(path).every((name) => known.includes(name));
}
