/** Files that are written to last, and compared with what they were. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { startProgress } from '../../terminal/progress.js';

export interface FileFacts {
  size: number;
  sha256: string;
}

/** The files in a folder whose content is no longer what was checked when they were put there. */
export async function damagedFiles(
  folder: string,
  files: Record<string, FileFacts>,
  options: { quiet?: boolean } = {},
): Promise<string[]> {
  const damaged: string[] = [];
  const total = Object.values(files).reduce((sum, { size }) => sum + size, 0);
  const progress = startProgress({ label: 'comparing checksums', total, unit: 'bytes', ...options });
  let done = 0;
  for (const [path, { size, sha256 }] of Object.entries(files)) {
    const found = await sha256Of(join(folder, path)).catch(() => undefined);
    if (found !== sha256) damaged.push(path);
    done += size;
    progress.update(done);
  }
  progress.stop();
  return damaged;
}

/** A file's sha256 in hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
  return hash.digest('hex');
}

/** Writes a file and flushes it to disk. */
export async function writeDurably(path: string, text: string): Promise<FileFacts> {
  const bytes = Buffer.from(text);
  const file = await open(path, 'w', 0o644);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
