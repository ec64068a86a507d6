import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../../errors.js';
import { withLock } from '../../storage/lock.js';
import { fileError } from '../../storage/system-errors.js';
import type { CifarVersion } from '../checksums.js';
import { recordBytes } from '../cifar-file.js';
import { type ImagenetteVersion, imagenetteClasses } from '../imagenette.js';
import { unpack, type Wanted } from './archive.js';
import { download, type RemoteFile } from './fetch.js';
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

function fetchCifar(version: CifarVersion, quiet?: boolean): Promise<string> {
  const sizes = Object.fromEntries(
    Object.entries(version.records).map(([file, count]) => [file, count * recordBytes(version)]),
  );
  return fetchArchive(version.archive, { folder: version.folder, sizes }, quiet);
}

/**
 * The folder that holds `train` and `val`: where it is, or else the cache, after its archive has been downloaded and
 * unpacked there.
 *
 * @throws {UserError} when it is nowhere and cannot be downloaded
 */
export async function provideImagenette(
  { folder, archive, images: count }: ImagenetteVersion,
  options: { dataFolder?: string; quiet?: boolean } = {},
): Promise<string> {
  const found = locate(folder, options.dataFolder);
  if (found) return found;
  const classes = imagenetteClasses.map((known) => known.folder).join('|');
  const pattern = new RegExp(`^(train|val)/(${classes})/\\w+\\.JPEG$`);
  // Photographs hardly shrink in an archive; each is padded to blocks there.
  const bytes = 1.25 * archive.bytes + 2048 * count;
  return fetchArchive(archive, { folder, pattern, count, bytes }, options.quiet);
}

/** The data set's folder in the cache, downloaded unless it is there already. */
async function fetchArchive(published: RemoteFile, wanted: Wanted, quiet = false): Promise<string> {
  const cache = dataCache();
  const target = join(cache, wanted.folder);
  const archive = join(cache, basename(new URL(published.url).pathname));
  try {
    return await withLock(`${target}.lock`, async () => {
      if (locate(wanted.folder, cache) === target) return target;
      await download(published, archive, quiet);
      await unpack(archive, wanted, target);
      await rm(archive, { force: true });
      return target;
    });
  } catch (error) {
    const room = Math.ceil((2.3 * published.bytes) / 1e8) * 100;
    const fix = `set $GNBENCH_CACHE to a folder that can be written, with ${room} MB of room`;
    throw fileError(error, 'the cache cannot be written', cache, { exitCode: 2, fix });
  }
}
