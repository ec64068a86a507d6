import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { UserError } from '../../errors.js';
import { download, proxyFor } from './fetch.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-fetch-'));
const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) & 255));
const sha256 = createHash('sha256').update(content).digest('hex');

let answer: (request: IncomingMessage, response: ServerResponse) => void;
let ranges: (string | undefined)[] = [];
const server = createServer((request, response) => {
  ranges.push(request.headers.range);
  answer(request, response);
});
await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/set.tar.gz`;
const path = join(folder, 'set.tar.gz');
const published = { url, bytes: content.length, sha256 };

after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  ranges = [];
  answer = serve();
  await rm(path, { force: true });
  await rm(`${path}.part`, { force: true });
});

/** A server that knows ranges and breaks the connection after `cutAfter` bytes of each answer. */
function serve(cutAfter = Number.POSITIVE_INFINITY) {
  return (request: IncomingMessage, response: ServerResponse) => {
    const from = Number(request.headers.range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
    const rest = content.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': rest.length,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
    });
    if (rest.length > cutAfter) response.write(rest.subarray(0, cutAfter), () => response.destroy());
    else response.end(rest);
  };
}

async function failure(): Promise<UserError> {
  const error = await download(published, path, true).then(
    () => assert.fail('was accepted'),
    (reason) => reason,
  );
  assert.ok(error instanceof UserError, error);
  await assert.rejects(access(path), 'the file is not there');
  return error;
}

test('a whole download is the file, and nothing beside it', async () => {
  await download(published, path, true);
  assert.deepEqual(await readFile(path), content);
  await assert.rejects(access(`${path}.part`));
});

test('what an earlier try left is gone on with', async () => {
  await writeFile(`${path}.part`, content.subarray(0, 123_456));
  await download(published, path, true);
  assert.deepEqual(ranges, ['bytes=123456-']);
  assert.deepEqual(await readFile(path), content);
});

test('a connection that breaks again and again is taken up as long as it gets further', async () => {
  answer = serve(100_000);
  await download(published, path, true);
  assert.deepEqual(await readFile(path), content);
  assert.ok(ranges.length >= 3, `${ranges}`);
});

test('a server without ranges: from the start', async () => {
  await writeFile(`${path}.part`, Buffer.alloc(1000, 'x'));
  answer = (_, response) => response.end(content);
  await download(published, path, true);
  assert.deepEqual(await readFile(path), content);
});

test('other bytes of the right number are refused, and do not stay', async () => {
  answer = (_, response) => response.end(Buffer.alloc(content.length));
  const error = await failure();
  assert.match(error.message, new RegExp(`wrong checksum: expected sha256 ${sha256}, found [0-9a-f]{64}`));
  await assert.rejects(access(`${path}.part`));
});

test('a file left by an earlier try that is wrong or too long is refused once, then fetched anew', async () => {
  for (const left of [Buffer.alloc(content.length), Buffer.alloc(content.length + 5)]) {
    await writeFile(`${path}.part`, left);
    await failure();
    await download(published, path, true);
    assert.deepEqual(await readFile(path), content);
    await rm(path);
  }
});

test('a server that never ends is cut off', async () => {
  answer = (_, response) => {
    const chunk = Buffer.alloc(65536);
    const more = () => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
  assert.match((await failure()).message, /larger than the published 300,000 bytes/);
  assert.equal((await stat(`${path}.part`)).size, 0);
});

test('a server that refuses: its answer is named', async () => {
  answer = (_, response) => response.writeHead(404).end();
  const error = await failure();
  assert.match(error.message, /404 Not Found/);
  assert.equal(error.place, url);
});

test('no network: one error that says what to do instead', async () => {
  const nowhere = { ...published, url: 'http://127.0.0.1:9/set.tar.gz' };
  await assert.rejects(
    download(nowhere, path, true),
    (error: UserError) =>
      error instanceof UserError &&
      /cannot be downloaded: .*/.test(error.message) &&
      /--data/.test(error.fix ?? ''),
  );
});

test('a download goes through the proxy that the environment names', async (t) => {
  const seen: string[] = [];
  // A proxy that opens tunnels to wherever it is asked to.
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    seen.push(request.url ?? '');
    const [host, port] = (request.url ?? '').split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise<void>((ready) => proxy.listen(0, '127.0.0.1', ready));
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
    proxy.close();
    proxy.closeAllConnections();
  });
  process.env.http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await download(published, path, true);
  assert.equal(seen.length, 1, 'the proxy was asked');
  assert.deepEqual(await readFile(path), content);
});

test('which proxy: by the address’s kind, and none for hosts that NO_PROXY holds', () => {
  const environment = {
    HTTPS_PROXY: 'http://a:1',
    http_proxy: 'http://b:2',
    NO_PROXY: 'here.org, .inner.net',
  };
  const proxy = (url: string) => proxyFor(url, environment);
  assert.equal(proxy('https://there.org/x'), 'http://a:1');
  assert.equal(proxy('http://there.org/x'), 'http://b:2');
  assert.equal(proxy('https://here.org/x'), undefined);
  assert.equal(proxy('https://sub.here.org/x'), undefined);
  assert.equal(proxy('https://x.inner.net/x'), undefined);
  assert.equal(proxy('https://nothere.org/x'), 'http://a:1');
  assert.equal(proxyFor('https://there.org/x', { ...environment, NO_PROXY: '*' }), undefined);
  assert.equal(proxyFor('https://there.org/x', {}), undefined);
});
