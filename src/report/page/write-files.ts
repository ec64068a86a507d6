import { dirname, join, normalize } from 'node:path';
import { makeFolders, replaceFile } from '../../storage/files.js';
import { fileError } from '../../storage/system-errors.js';
import type { Files } from './artifacts.js';

/** Writes files into a folder, each as a whole. Returns their paths. Throws UserError when one cannot be written. */
export async function writeFiles(folder: string, files: Files): Promise<string[]> {
  return [...files].map(([name, content]) => {
    const path = normalize(join(folder, name));
    try {
      makeFolders(dirname(path));
      replaceFile(path, content);
    } catch (error) {
      throw fileError(error, 'could not write the file', path);
    }
    return path;
  });
}

/** Prints the paths of files that were written: one a line, or as a list in JSON. */
export function printPaths(paths: readonly string[], json = false): void {
  process.stdout.write(json ? `${JSON.stringify(paths, null, 2)}\n` : `${paths.join('\n')}\n`);
}
