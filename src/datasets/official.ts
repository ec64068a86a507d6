import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CifarVersion } from './checksums.js';

/**
 * The label of results got on files that are not the published ones. A folder may say which of its records are only
 * approximations, in `approximated-records.json`: `{"<file>": [<record>, …]}`.
 */
export async function unofficialNote(version: CifarVersion, folder: string): Promise<string> {
  const images = Object.values(version.records).reduce((sum, count) => sum + count, 0);
  const approximated = await countApproximated(version, join(folder, 'approximated-records.json'));
  return approximated === undefined
    ? `${version.title} (files differ from the published ones)`
    : `${version.title} (${approximated} of ${images.toLocaleString('en')} images JPEG-approximated)`;
}

/** Undefined when there is no such list, or none that can be believed. */
async function countApproximated(version: CifarVersion, path: string): Promise<number | undefined> {
  try {
    const { size } = await stat(path);
    if (size > 2 ** 20) return undefined;
    const listed: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof listed !== 'object' || listed === null || Array.isArray(listed)) return undefined;
    let count = 0;
    for (const [name, records] of Object.entries(listed)) {
      if (!Object.hasOwn(version.records, name) || !Array.isArray(records)) return undefined;
      const possible = (record: unknown) =>
        Number.isInteger(record) && Number(record) >= 0 && Number(record) < version.records[name];
      if (!records.every(possible)) return undefined;
      count += new Set(records).size;
    }
    return count;
  } catch {
    return undefined;
  }
}
