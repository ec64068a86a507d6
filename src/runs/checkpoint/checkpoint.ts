/**
 * Checkpoints that are there whole or not at all.
 *
 *     checkpoints/step-000001234/
 *       tensors.safetensors   parameters, optimizer slots, running statistics
 *       state.json            step, the epoch's running sums, what else the run keeps
 *       manifest.json         the files' sizes and sha256, and its own
 *
 * A save writes a folder under a temporary name, syncs each file and the folder, and renames it; older ones are
 * removed only when the new one is on disk. A load verifies every byte and falls back to an older one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import {
  diskFileSystem,
  type FileSystem,
  removeQuietly,
  syncFolder,
  writeWhole,
} from '../../storage/files.js';
import { fileError, isSystemError } from '../../storage/system-errors.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../weights/safetensors.js';
import {
  checkpointNames,
  clearLeftovers,
  freshName,
  manifestFile,
  position,
  prune,
  stateFile,
  tensorsFile,
} from './names.js';

/** All that a run needs to go on bit for bit; order of images, augmentation and rate follow from config and step. */
export interface TrainingState {
  /** Steps done. */
  step: number;
  /** The epoch's running sums and the elapsed seconds; any number, also NaN and infinite. */
  sums: Record<string, number>;
  tensors: Record<string, Tensor>;
  /** Plain JSON. */
  extra?: Record<string, unknown>;
}

/**
 * Saves a checkpoint into `folder` (created if missing) and keeps the last `keep`; a second one of the same step
 * takes precedence over the first. When this throws (UserError, exit code 1), the older ones still stand.
 */
export function saveCheckpoint(
  folder: string,
  state: TrainingState,
  { keep, files = diskFileSystem }: { keep: number; files?: FileSystem },
): void {
  const temporary = join(folder, `.tmp-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    files.makeFolder(folder);
    const names = files.list(folder);
    clearLeftovers(files, folder, names);
    write(files, temporary, state);
    const name = freshName(names, state.step);
    files.rename(temporary, join(folder, name));
    syncFolder(files, folder);
    prune(files, folder, [...names, name], name, keep);
  } catch (error) {
    removeQuietly(files, temporary);
    throw fileError(error, `could not save the checkpoint of step ${state.step}`, folder);
  }
}

/**
 * The newest whole checkpoint in `folder`; `warn` hears of each damaged one that was passed over. Undefined when there
 * is none at all. Throws UserError when there are some and none is whole.
 */
export function loadCheckpoint(
  folder: string,
  warn: (message: string) => void,
  { files = diskFileSystem }: { files?: FileSystem } = {},
): TrainingState | undefined {
  let names: string[];
  try {
    names = files.list(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(error, 'could not look for checkpoints', folder);
  }
  const candidates = checkpointNames(names).reverse();
  for (const name of candidates) {
    try {
      return read(files, join(folder, name), position(name)![0]);
    } catch (error) {
      // A whole one that cannot be opened just now must not be passed over, or put aside as damaged.
      if (isSystemError(error) && !ofDamage.has(error.code)) {
        throw fileError(error, 'could not read the checkpoint', join(folder, name));
      }
      warn(`the checkpoint ${join(folder, name)} is damaged (${(error as Error).message})`);
    }
  }
  if (candidates.length === 0) return undefined;
  throw new UserError('every checkpoint is damaged', {
    place: folder,
    fix: 'start the run over with --force, or restore a checkpoint',
    exitCode: 1,
  });
}

/** The system's errors that a file is lost or unreadable for good. */
const ofDamage = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EIO']);

function write(files: FileSystem, folder: string, { step, sums, tensors, extra }: TrainingState): void {
  const state = { step, sums: mapValues(sums, encodeNumber), extra };
  const contents: [name: string, parts: Uint8Array[]][] = [
    [tensorsFile, encodeSafetensors(tensors)],
    [stateFile, [Buffer.from(`${JSON.stringify(state, null, 2)}\n`)]],
  ];
  files.makeFolder(folder);
  for (const [name, parts] of contents) writeWhole(files, join(folder, name), parts);
  const manifest = contents.map(([name, parts]) => ({
    name,
    bytes: parts.reduce((sum, part) => sum + part.length, 0),
    sha256: sha256(parts),
  }));
  writeWhole(files, join(folder, manifestFile), [Buffer.from(printManifest(step, manifest))]);
  syncFolder(files, folder);
}

interface ManifestEntry {
  name: string;
  bytes: number;
  sha256: string;
}

/** Carries a checksum of itself, so that a flipped bit is found here too. */
function printManifest(step: number, contents: ManifestEntry[]): string {
  const body = { version: 1, step, files: contents };
  return `${JSON.stringify({ ...body, sha256: sha256([Buffer.from(JSON.stringify(body))]) }, null, 2)}\n`;
}

function read(files: FileSystem, folder: string, step: number): TrainingState {
  const text = Buffer.from(files.read(join(folder, manifestFile))).toString('latin1');
  const manifest = parseJson(text, manifestFile) as { version: unknown; files: ManifestEntry[] };
  if (manifest?.version !== 1) throw new UserError(`version ${manifest?.version} is not known here`);
  const entries = [tensorsFile, stateFile].map((name, index) => {
    const { bytes, sha256 } = manifest.files?.[index] ?? {};
    return { name, bytes, sha256 };
  });
  // Whatever else the bytes say, they must be those that were written: a change anywhere makes this differ.
  if (text !== printManifest(step, entries)) throw new UserError(`${manifestFile} was altered`);
  const [tensors, state] = entries.map((entry) => {
    const bytes = files.read(join(folder, entry.name));
    if (bytes.length !== entry.bytes)
      throw new UserError(`${entry.name} has ${bytes.length} bytes, not ${entry.bytes}`);
    if (sha256([bytes]) !== entry.sha256) throw new UserError(`${entry.name} does not match its sha256`);
    return bytes;
  });
  const { sums, extra } = parseJson(Buffer.from(state).toString(), stateFile) as {
    sums: Record<string, number | string>;
    extra?: Record<string, unknown>;
  };
  return {
    step,
    sums: mapValues(sums, Number),
    tensors: decodeSafetensors(tensors, join(folder, tensorsFile)).tensors,
    ...(extra === undefined ? {} : { extra }),
  };
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError(`${name} is incomplete JSON`);
  }
}

function sha256(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** JSON has no NaN, infinity or −0; as strings they survive. */
const encodeNumber = (value: number) =>
  Object.is(value, -0) ? '-0' : Number.isFinite(value) ? value : String(value);

const mapValues = <A, B>(record: Record<string, A>, map: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
