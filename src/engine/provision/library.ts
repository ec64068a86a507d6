import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import type { Library } from './addon.js';
import { downloadWheel, type PipOptions } from './pip.js';
import type { Variant } from './platform.js';
import { type FileFacts, prepareStore, publish, sha256Of } from './store.js';
import { unpack } from './unpack.js';
import { isNeeded, tensorflowVersion, wheels } from './wheels.js';

/** Where a variant's library lies in the store, and which wheel it comes from. */
export function wheelLibrary(variant: Variant): Library {
  return {
    name: `tensorflow-${tensorflowVersion}-${variant}-${process.platform}-${process.arch}`,
    wheel: wheels[variant][0].sha256,
  };
}

/** Downloads the variant's wheels, one after the other, and unpacks from each what the engine needs. */
export async function installLibrary(variant: Variant, options: PipOptions): Promise<string> {
  const store = await prepareStore();
  await checkRoom(store, variant);
  return publish(wheelLibrary(variant).name, async (folder) => {
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
    return { facts: facts(variant), files: await summarize(folder, all) };
  });
}

const facts = (variant: Variant) =>
  Object.fromEntries(wheels[variant].map((wheel) => [wheel.name, `${wheel.version} sha256:${wheel.sha256}`]));

/** What is loaded is listed in `complete.json`; the thousands of headers in a file of their own, to start fast. */
async function summarize(folder: string, all: Record<string, FileFacts>): Promise<Record<string, FileFacts>> {
  const entries = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1));
  const isHeader = ([path]: [string, FileFacts]) => path.startsWith('tensorflow/include/');
  const headers = join(folder, headerList);
  await writeFile(headers, JSON.stringify(Object.fromEntries(entries.filter(isHeader)), null, 1), {
    flush: true,
  });
  const { length: size } = JSON.stringify(Object.fromEntries(entries.filter(isHeader)), null, 1);
  const listed = entries.filter((entry) => !isHeader(entry));
  return { ...Object.fromEntries(listed), [headerList]: { size, sha256: await sha256Of(headers) } };
}

/** Sizes and checksums of the headers, as `complete.json` has them of the rest. */
export const headerList = 'headers.json';

async function checkRoom(store: string, variant: Variant) {
  const unpacked = wheels[variant].reduce((sum, wheel) => sum + wheel.unpacked, 0);
  const needed = unpacked + Math.max(...wheels[variant].map((wheel) => wheel.size));
  const { bavail, bsize } = await statfs(store);
  if (bavail * bsize >= needed) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new UserError(
    `the engine needs ${gigabytes(needed)} in the cache, and ${gigabytes(bavail * bsize)} are free`,
    { place: store, fix: 'set GNBENCH_CACHE to a folder with the room', exitCode: 1 },
  );
}
