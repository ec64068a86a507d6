import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { downloadWheel, type PipOptions } from './pip.js';
import type { Variant } from './platform.js';
import { type FileFacts, prepareStore, publish, writeDurably } from './store.js';
import { unpack } from './unpack.js';
import { headerList } from './wheel.js';
import { isNeeded, neededRoom, pinned, wheels } from './wheels.js';

/** Downloads the variant's wheels, one after the other, and unpacks from each what the engine needs into `name`. */
export async function installLibrary(variant: Variant, name: string, options: PipOptions): Promise<void> {
  await checkRoom(await prepareStore(), variant);
  await publish(name, async (folder) => {
    const all: Record<string, FileFacts> = {};
    for (const wheel of wheels[variant]) {
      const downloads = join(folder, 'downloads');
      const path = await downloadWheel(wheel, downloads, options);
      const label = `unpacking ${wheel.name} ${wheel.version}`;
      const files = await unpack(path, folder, { ...options, label, choose: isNeeded });
      Object.assign(all, files);
      // At once, not at the end: CUDA's wheels and what they hold need not be on the disk together.
      await rm(downloads, { recursive: true });
    }
    return { facts: pinned(variant), files: await list(folder, all) };
  });
}

async function list(folder: string, all: Record<string, FileFacts>): Promise<Record<string, FileFacts>> {
  const entries = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1));
  const isHeader = ([path]: [string, FileFacts]) => path.startsWith('tensorflow/include/');
  const headers = JSON.stringify(Object.fromEntries(entries.filter(isHeader)), null, 1);
  const facts = await writeDurably(join(folder, headerList), headers);
  return { ...Object.fromEntries(entries.filter((entry) => !isHeader(entry))), [headerList]: facts };
}

async function checkRoom(store: string, variant: Variant) {
  const needed = neededRoom(variant);
  const { bavail, bsize } = await statfs(store);
  if (bavail * bsize >= needed) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new UserError(
    `the engine needs ${gigabytes(needed)} in the cache, and ${gigabytes(bavail * bsize)} are free`,
    { place: store, fix: 'set GNBENCH_CACHE to a folder with the room', exitCode: 1 },
  );
}
