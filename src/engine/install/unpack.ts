import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../../errors.js';
import { startProgress } from '../../terminal/progress.js';
import type { FileFacts } from './checksum.js';
import { openZip, type Zip, ZipError, type ZipMember } from './zip.js';

export interface UnpackOptions {
  label: string;
  /** Which members are taken. */
  choose: (name: string) => boolean;
  quiet?: boolean;
  signal?: AbortSignal;
}

/**
 * Unpacks chosen members of a zip file into `folder`, flushed to disk, and returns size and sha256 of each.
 * @throws UserError when the file is damaged, or holds a name that leads out of the folder.
 */
export async function unpack(path: string, folder: string, options: UnpackOptions) {
  const files: Record<string, FileFacts> = {};
  let zip: Zip | undefined;
  try {
    zip = await openZip(path);
    const chosen = zip.members.filter((member) => options.choose(member.name) && !member.name.endsWith('/'));
    // The largest first: the last one running alone should be a short one.
    const queue = chosen.sort((a, b) => b.size - a.size);
    const total = queue.reduce((sum, member) => sum + member.size, 0);
    const progress = startProgress({ label: options.label, total, unit: 'bytes', quiet: options.quiet });
    let done = 0;
    const worker = async () => {
      for (let member = queue.shift(); member; member = queue.shift()) {
        files[member.name] = await unpackMember(zip!, member, join(folder, member.name), (bytes) => {
          options.signal?.throwIfAborted();
          done += bytes;
          progress.update(done);
        });
      }
    };
    try {
      // All of them are waited for: none may write on while the folder is being removed.
      const workers = Array.from({ length: 4 }, worker);
      for (const one of workers) one.catch(() => queue.splice(0));
      const results = await Promise.allSettled(workers);
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
    } finally {
      progress.stop();
    }
    return files;
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    throw new UserError(`the downloaded file is damaged: ${error.message}`, {
      place: path,
      fix: 'npx gnbench setup --force downloads it again',
      exitCode: 1,
      cause: error,
    });
  } finally {
    await zip?.close();
  }
}

async function unpackMember(
  zip: Zip,
  member: ZipMember,
  target: string,
  onBytes: (count: number) => void,
): Promise<FileFacts> {
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  const hash = createHash('sha256');
  // `wx`: nothing that is there already, be it a link, is written through.
  const file = await open(target, 'wx', member.executable ? 0o755 : 0o644);
  try {
    for await (const chunk of zip.read(member)) {
      hash.update(chunk);
      await file.writeFile(chunk);
      onBytes(chunk.length);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { size: member.size, sha256: hash.digest('hex') };
}
