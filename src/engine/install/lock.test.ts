import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { acquireLock } from './lock.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gnbench-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true }));

const foreign = { id: 'x', host: 'elsewhere', pid: 1, started: '1' };

test('one holder at a time, in whatever order', async () => {
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const release = await acquireLock(path);
      most = Math.max(most, ++holders);
      await wait(5);
      holders--;
      await release();
    }),
  );
  assert.equal(most, 1);
  assert.deepEqual(await readdir(folder), []);
});

test('who waits is told for whom', async () => {
  const release = await acquireLock(path);
  const told: string[] = [];
  const second = acquireLock(path, { onWait: (owner) => told.push(owner) });
  await wait(300);
  await release();
  await (await second)();
  assert.equal(told.length, 1);
  assert.match(told[0], new RegExp(`process ${process.pid} on `));
});

test("a dead process's lock is taken over at once", async () => {
  // The same host and namespace as this process has, and a process number that was just given back.
  const release = await acquireLock(path);
  const owner = JSON.parse(await readFile(path, 'utf8'));
  await release();
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.on('close', resolve));
  await writeFile(path, JSON.stringify({ ...owner, id: 'dead', pid: child.pid, started: '12345' }));
  const started = performance.now();
  await (await acquireLock(path))();
  assert.ok(performance.now() - started < 1000);
});

test('a living process that has the number of a dead owner is not taken for it', async () => {
  const release = await acquireLock(path);
  const owner = JSON.parse(await readFile(path, 'utf8'));
  await release();
  await writeFile(path, JSON.stringify({ ...owner, id: 'former', started: '12345' }));
  await (await acquireLock(path))();
});

test("another host's lock is respected as long as it shows signs of life", async () => {
  await writeFile(path, JSON.stringify(foreign));
  const abort = AbortSignal.timeout(400);
  await assert.rejects(acquireLock(path, { patience: 60_000, signal: abort }));
  const longAgo = new Date(Date.now() - 120_000);
  await utimes(path, longAgo, longAgo);
  await (await acquireLock(path, { patience: 60_000 }))();
});

test('a holder shows signs of life', async () => {
  const release = await acquireLock(path, { heartbeat: 30 });
  const abort = AbortSignal.timeout(500);
  // A patience shorter than the wait, and longer than the heartbeat; as if from another host.
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), host: 'elsewhere' }));
  await assert.rejects(acquireLock(path, { patience: 250, signal: abort }));
  await release();
});

test('a lock file that is being written, or garbled, is waited for and then taken over', async () => {
  await writeFile(path, '');
  await assert.rejects(acquireLock(path, { signal: AbortSignal.timeout(300) }));
  const longAgo = new Date(Date.now() - 120_000);
  await utimes(path, longAgo, longAgo);
  await (await acquireLock(path))();
});

test('many that find a dead owner: still one holder at a time', async () => {
  await writeFile(path, JSON.stringify(foreign));
  const longAgo = new Date(Date.now() - 120_000);
  await utimes(path, longAgo, longAgo);
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const release = await acquireLock(path);
      most = Math.max(most, ++holders);
      await wait(20);
      holders--;
      await release();
    }),
  );
  assert.equal(most, 1);
});
