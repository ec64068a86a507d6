import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
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
  return found ?? fetchCifar(version, options.quiet);
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
