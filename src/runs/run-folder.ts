/** A run's output folder: who may write there, and what is there already. */
import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { makeFolders, replaceFile } from '../storage/files.js';
import { type Lock, lockFolder } from '../storage/lock.js';
import { fileError } from '../storage/system-errors.js';
import { isOwnCheckpoint } from './checkpoint/names.js';
import type { Environment } from './environment.js';

export interface RunFolder {
  path: string;
  /** The configuration that the run was begun with, if it is resumed. */
  begunWith?: string;
  config: string;
  curves: string;
  steps: string;
  responses: string;
  summary: string;
  environment: string;
  checkpoints: string;
  lock: Lock;
}

/** The names that gnbench writes into a run's folder. */
const ours =
  /^(config\.yaml|(curves|steps|responses)(\.dropped)?\.csv|(summary|environment|detections|average-precision)\.json|answers\.csv|examples\.webp|(frames|mistakes)\.svg|checkpoints|weights(\.\w+)?\.safetensors|events\.out\.tfevents\..*)$/;
/** Written by `gnbench export` when it was asked to: a new run neither deletes them nor stands beside them. */
const exportedWeights = /^weights(\.\w+)?\.safetensors$/;
/** Written by `gnbench report` about whatever runs are there: it neither makes a run nor stands in the way of one. */
export const ofReport = /^(report\.html|table\.md|(runs|cells)\.csv|figures)$/;
/** Names of what a killed process may have left behind; no sign of a run. */
const passing = /^(run\.lock.*|\.tmp-.*)$/;

/**
 * Creates or opens `path` for one run and locks it.
 * `new` refuses a folder that holds a run; `resume` takes such a run up (or begins one); `force` begins anew, and what gnbench
 * wrote there goes when the new run is described (`restoreReplaced` puts it back before); it refuses a folder that holds
 * anything else.
 * Throws UserError (exit code 2), and then leaves nothing behind.
 */
export async function openRunFolder(path: string, mode: 'new' | 'resume' | 'force'): Promise<RunFolder> {
  const folder = resolve(path);
  const created = makeFolder(folder);
  let lock: Lock | undefined;
  try {
    lock = await lockFolder(folder);
    if (fs.existsSync(join(folder, 'config.yaml'))) dropReplaced(folder);
    else restoreReplaced(folder);
    const present = fs.readdirSync(folder).filter((name) => !passing.test(name));
    refuseLinks(folder, present);
    if (mode === 'new') refuseRun(folder, present);
    if (mode === 'force') clear(folder, present);
    const config = join(folder, 'config.yaml');
    const resumed = mode === 'resume' && present.includes('config.yaml');
    if (mode === 'resume' && !resumed) refuseHeadless(folder, present);
    return {
      path: folder,
      ...(resumed && { begunWith: fs.readFileSync(config, 'utf8') }),
      config,
      curves: join(folder, 'curves.csv'),
      steps: join(folder, 'steps.csv'),
      responses: join(folder, 'responses.csv'),
      summary: join(folder, 'summary.json'),
      environment: join(folder, 'environment.json'),
      checkpoints: join(folder, 'checkpoints'),
      lock,
    };
  } catch (error) {
    await lock?.release();
    removeEmpty(folder, created);
    throw fileError(error, 'could not open the output folder', folder, { exitCode: 2 });
  }
}

/** Writes what the run is, whole or not at all. Throws UserError (exit code 2). */
export function describeRun(folder: RunFolder, config: string, environment: Environment): void {
  try {
    replaceFile(folder.environment, `${JSON.stringify(environment, null, 2)}\n`);
    // Last: with it the folder counts as a run that can be resumed.
    replaceFile(folder.config, config);
    dropReplaced(folder.path);
  } catch (error) {
    throw fileError(error, 'could not write to the output folder', folder.path, { exitCode: 2 });
  }
}

const dropReplaced = (folder: string): void =>
  fs.rmSync(join(folder, replacedName), { recursive: true, force: true });

/** The topmost folder that had to be made, if any. */
function makeFolder(folder: string): string | undefined {
  try {
    return makeFolders(folder);
  } catch (error) {
    throw fileError(error, 'could not make the output folder', folder, { exitCode: 2 });
  }
}

/** Takes back what `makeFolder` made, as far as nobody has put anything there. */
function removeEmpty(folder: string, created: string | undefined): void {
  if (created === undefined) return;
  try {
    for (let path = folder; path.length >= created.length; path = dirname(path)) fs.rmdirSync(path);
  } catch {
    // Not empty, or no longer there: not ours to remove.
  }
}

/** A results folder from elsewhere could point anywhere; what is written and deleted stays inside the folder. */
function refuseLinks(folder: string, present: readonly string[]): void {
  for (const name of present.filter((found) => ours.test(found))) {
    if (fs.lstatSync(join(folder, name)).isSymbolicLink()) {
      throw new UserError('it is a symbolic link', {
        place: join(folder, name),
        fix: 'replace the link by a plain file or folder',
      });
    }
  }
}

function refuseRun(folder: string, present: readonly string[]): void {
  const found = present.filter((name) => ours.test(name));
  if (found.length === 0) return;
  throw new UserError(`the output folder holds a run already (${found.join(', ')})`, {
    place: folder,
    fix: 'go on with --resume, start over with --force, or choose another with --out',
  });
}

function refuseHeadless(folder: string, present: readonly string[]): void {
  const found = present.filter((name) => ours.test(name));
  if (found.length === 0) return;
  throw new UserError(`there is ${found.join(', ')}, but no config.yaml that says which run it was`, {
    place: folder,
    fix: 'restore config.yaml, start over with --force, or choose another folder with --out',
  });
}

function clear(folder: string, present: readonly string[]): void {
  const exported = present.filter((name) => exportedWeights.test(name));
  if (exported.length > 0) {
    throw new UserError(`the output folder holds exported weights (${exported.join(', ')})`, {
      place: folder,
      fix: 'move them away or delete them, or choose another folder with --out',
    });
  }
  const foreign = present.filter((name) => !ours.test(name) && !ofReport.test(name));
  if (present.includes('checkpoints')) {
    const checkpoints = fs.readdirSync(join(folder, 'checkpoints'));
    foreign.push(
      ...checkpoints
        .filter((name) => !isOwnCheckpoint(join(folder, 'checkpoints', name)))
        .map((name) => join('checkpoints', name)),
    );
  }
  if (foreign.length > 0) {
    throw new UserError(
      `the output folder holds what gnbench did not write (${foreign.slice(0, 5).join(', ')})`,
      {
        place: folder,
        fix: 'move it away, or choose another folder with --out',
      },
    );
  }
  // The configuration first: a folder that is half cleared must not pass for a run.
  const order = present
    .filter((name) => ours.test(name))
    .sort((a, b) => Number(b === 'config.yaml') - Number(a === 'config.yaml'));
  const aside = join(folder, replacedName);
  fs.mkdirSync(aside);
  for (const name of order) fs.renameSync(join(folder, name), join(aside, name));
}

/** Holds the run that `force` replaces until the new one is described: what cannot begin takes nothing away. */
const replacedName = '.tmp-replaced';

/** Puts back a run that was to be replaced by one that did not begin, whoever was to begin it. */
export function restoreReplaced(folder: string): void {
  const aside = join(folder, replacedName);
  const found = fs.lstatSync(aside, { throwIfNoEntry: false });
  if (!found) return;
  const present = found.isDirectory() ? fs.readdirSync(aside) : [];
  if (!found.isDirectory() || !present.every((name) => ours.test(name))) {
    throw new UserError('it is no folder of files that gnbench put there', {
      place: aside,
      fix: 'remove it',
    });
  }
  // The configuration last: with it the folder counts as a run.
  const names = present.filter((name) => name !== 'config.yaml');
  for (const name of names) fs.renameSync(join(aside, name), join(folder, name));
  const config = join(aside, 'config.yaml');
  if (fs.existsSync(config)) fs.renameSync(config, join(folder, 'config.yaml'));
  fs.rmdirSync(aside);
}
