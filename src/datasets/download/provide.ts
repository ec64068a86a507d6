import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../../errors.js';
import { withLock } from '../../storage/lock.js';
import { fileError } from '../../storage/system-errors.js';
import type { CifarVersion } from '../checksums.js';
import { recordBytes } from '../cifar-file.js';
import { unpack } from './archive.js';
import { download } from './fetch.js';
import { dataCache, locate } from './locate.js';

/**
 * The folder that holds the data set: where it is, or else the cache, after its archive has been downloaded and
 * unpacked there.
 *
 * @throws {UserError} when it is nowhere and cannot be downloaded
 */
export async function provideCifar(
  version: CifarVersion,
  options: { dataFolder?: string; quiet?: boolean } = {},
): Promise<string> {
  const found = locate(version.folder, options.dataFolder);
  if (found) return found;
  const python = pythonVersion(version, options.dataFolder);
  if (python) process.stderr.write(`note: ${python}\n`);
  try {
    return await fetchCifar(version, options.quiet);
  } catch (error) {
    if (!python || !(error instanceof UserError)) throw error;
    const { message, place, fix, exitCode } = error;
    throw new UserError(`${message} (${python})`, { place, fix, exitCode, cause: error });
  }
}

/** Says where Python's version of the data set lies, if it does: torchvision and Keras fetch that one. */
export function pythonVersion(version: CifarVersion, dataFolder?: string): string | undefined {
  const folder = locate(version.pythonFolder, dataFolder);
  return folder && `${folder} holds the version for Python; the binary version, ${version.folder}, is read`;
}

/** The data set's folder in the cache, downloaded unless it is there already. */
async function fetchCifar(version: CifarVersion, quiet = false): Promise<string> {
  const cache = dataCache();
  const target = join(cache, version.folder);
  const archive = join(cache, basename(new URL(version.archive.url).pathname));
  try {
    return await withLock(`${target}.lock`, async () => {
      if (locate(version.folder, cache) === target) return target;
      await download(version.archive, archive, quiet);
      const sizes = Object.fromEntries(
        Object.entries(version.records).map(([file, count]) => [file, count * recordBytes(version)]),
      );
      await unpack(archive, { folder: version.folder, sizes }, target);
      await rm(archive, { force: true });
      return target;
    });
  } catch (error) {
    const fix = 'set $GNBENCH_CACHE to a folder that can be written, with 400 MB of room';
    throw fileError(error, 'the cache cannot be written', cache, { exitCode: 2, fix });
  }
}
