import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { UserError } from '../../errors.js';
import { makeFolders } from '../../storage/files.js';
import { isSystemError } from '../../storage/system-errors.js';
import { startProgress } from '../../terminal/progress.js';

/** A published file: where it is, and how to know it. */
export interface RemoteFile {
  url: string;
  bytes: number;
  sha256: string;
}

// A connection that brings nothing for this long is given up; what has arrived is kept.
const silenceMs = 60_000;
const attempts = 3;

/**
 * Downloads `published` to `path`. What an earlier try left in `path`.part is gone on with; `path` itself appears only
 * once its size and sha256 are right.
 *
 * @throws {UserError} when the host cannot be reached or answers something else, or the checksum is wrong
 */
export async function download(published: RemoteFile, path: string, quiet = false): Promise<void> {
  const part = `${path}.part`;
  makeFolders(dirname(path));
  const progress = startProgress({
    label: `fetching ${basename(path)}`,
    total: published.bytes,
    unit: 'bytes',
    quiet,
  });
  try {
    for (let attempt = 1; ; attempt++) {
      const before = await sizeOf(part);
      try {
        if (before < published.bytes) await append(published, part, before, (done) => progress.update(done));
        break;
      } catch (error) {
        // The network's errors come wrapped in fetch's; these are of the file that is written.
        if (error instanceof UserError || isSystemError(error)) throw error;
        // Go on as long as it gets further, and a few times when it does not.
        if ((await sizeOf(part)) > before) attempt = 0;
        if (attempt >= attempts) throw unreachable(published, error);
        await new Promise((wake) => setTimeout(wake, 125 * 4 ** attempt));
      }
    }
  } finally {
    progress.stop();
  }
  await accept(published, part, path);
}

function unreachable(published: RemoteFile, cause: unknown): UserError {
  const { message, cause: inner } = cause as Error;
  const reason = inner instanceof Error && inner.message ? inner.message : message;
  return new UserError(`cannot be downloaded: ${reason}`, {
    place: published.url,
    fix: 'check the network and try again (it goes on where it stopped), or unpack it yourself and name its folder with --data or $GNBENCH_DATA',
    exitCode: 1,
    cause,
  });
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** One request for the bytes from `from` on, appended to `part`. Throws what the network threw. */
async function append(
  published: RemoteFile,
  part: string,
  from: number,
  report: (done: number) => void,
): Promise<void> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(new Error('timed out')), silenceMs);
  let file: FileHandle | undefined;
  try {
    const response = await request(published.url, {
      headers:
        from > 0
          ? { range: `bytes=${from}-`, 'accept-encoding': 'identity' }
          : { 'accept-encoding': 'identity' },
      signal: abort.signal,
    });
    if (!response.ok) {
      throw new UserError(`the server answered ${response.status} ${response.statusText}`.trim(), {
        place: published.url,
        fix: 'try again later, or unpack the archive yourself and name its folder with --data or $GNBENCH_DATA',
      });
    }
    // 206 with another range, or 200 from a server that knows no ranges: begin again.
    const start = response.headers.get('content-range')?.match(/^bytes (\d+)-/)?.[1];
    let done = response.status === 206 && Number(start) === from ? from : 0;
    if (response.status === 206 && done !== from) throw new Error('the server sent another range');
    file = await open(part, done > 0 ? 'a' : 'w', 0o644);
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(new Error('timed out')), silenceMs);
      done += chunk.length;
      if (done > published.bytes) {
        await file.truncate(0);
        throw new UserError(`larger than the published ${published.bytes.toLocaleString('en')} bytes`, {
          place: published.url,
          fix: 'the file there is another one: do not use it',
        });
      }
      await file.writeFile(chunk);
      report(done);
    }
    if (done < published.bytes) throw new Error('the connection ended early');
  } finally {
    clearTimeout(timer);
    await file?.close();
  }
}

/** A request through the user's proxy: npm and pip go through it, Node's own fetch does not. */
async function request(url: string, init: RequestInit): Promise<Response> {
  const proxy = proxyFor(url);
  if (!proxy) return fetch(url, init);
  const undici = await import('undici');
  const dispatcher = new undici.ProxyAgent(proxy);
  return (await undici.fetch(url, { ...(init as object), dispatcher })) as unknown as Response;
}

/**
 * The proxy that HTTPS_PROXY, or for plain addresses HTTP_PROXY, names; undefined where there is none, or where NO_PROXY
 * holds the host, a domain of it, or `*`. Names in lower case come first, as curl has it.
 */
export function proxyFor(url: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const value = (name: string) => environment[name.toLowerCase()] || environment[name];
  const { protocol, hostname, port } = new URL(url);
  const exempt = (value('NO_PROXY') ?? '').split(/[\s,]+/).filter(Boolean);
  const isExempt = exempt.some((entry) => {
    const [name, onPort] = entry.replace(/^\*?\./, '').split(':');
    if (onPort && onPort !== port) return false;
    return name === '*' || hostname === name || hostname.endsWith(`.${name}`);
  });
  return isExempt ? undefined : value(protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
}

async function accept(published: RemoteFile, part: string, path: string): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(part)) hash.update(chunk);
  const found = hash.digest('hex');
  if (found !== published.sha256) {
    await rm(part, { force: true });
    throw new UserError(`wrong checksum: expected sha256 ${published.sha256}, found ${found}`, {
      place: published.url,
      fix: 'try again; if it stays so, the file there is not the published one',
    });
  }
  await rename(part, path);
}
