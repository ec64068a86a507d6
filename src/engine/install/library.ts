import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { type FileFacts, writeDurably } from './checksum.js';
import { linkLibraries } from './cuda/layout.js';
import { downloadWheel, type PipOptions } from './pip.js';
import { headerList, prepareStore, publish } from './store.js';
import { unpack } from './unpack.js';
import { isNeeded, neededRoom, pins, type Wheel } from './wheels.js';

/** Downloads wheels, one after the other, and unpacks from each what the engine needs into the store's `name`. */
export async function installLibrary(wheels: Wheel[], name: string, options: PipOptions): Promise<void> {
  await checkRoom(await prepareStore(), neededRoom(wheels));
  await publish(name, async (folder) => {
    const all: Record<string, FileFacts> = {};
    for (const wheel of wheels) {
      const downloads = join(folder, 'downloads');
      const path = await downloadWheel(wheel, downloads, options);
      const label = `unpacking ${wheel.name} ${wheel.version}`;
      const files = await unpack(path, folder, { ...options, label, choose: isNeeded });
      Object.assign(all, files);
      // At once, not at the end: CUDA's wheels and what they hold need not be on the disk together.
      await rm(downloads, { recursive: true });
    }
    await linkLibraries(folder);
    return { facts: pins(wheels), files: await list(folder, all) };
  });
}

async function list(folder: string, all: Record<string, FileFacts>): Promise<Record<string, FileFacts>> {
  const entries = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1));
  const isHeader = ([path]: [string, FileFacts]) => path.startsWith('tensorflow/include/');
  const headers = JSON.stringify(Object.fromEntries(entries.filter(isHeader)), null, 1);
  const facts = await writeDurably(join(folder, headerList), headers);
  return { ...Object.fromEntries(entries.filter((entry) => !isHeader(entry))), [headerList]: facts };
}

async function checkRoom(store: string, needed: number) {
  const { bavail, bsize } = await statfs(store);
  if (bavail * bsize >= needed) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new UserError(
    `the engine needs ${gigabytes(needed)} in the cache, and ${gigabytes(bavail * bsize)} are free`,
    { place: store, fix: 'set GNBENCH_CACHE to a folder with the room', exitCode: 1 },
  );
}
