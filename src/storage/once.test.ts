import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { oneAtATime } from './once.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-once-'));
after(() => rm(folder, { recursive: true, force: true }));
const path = join(folder, 'deeper', 'set.lock');

test('of several at once, one runs after the other; nothing stays behind', async () => {
  let running = 0;
  let most = 0;
  const results = await Promise.all(
    [1, 2, 3].map((value) =>
      oneAtATime(path, async () => {
        most = Math.max(most, ++running);
        await new Promise((wake) => setTimeout(wake, 20));
        running--;
        return value;
      }),
    ),
  );
  assert.deepEqual(results, [1, 2, 3]);
  assert.equal(most, 1);
  assert.deepEqual(await readdir(join(folder, 'deeper')), []);
});

test('a failure frees the lock', async () => {
  await assert.rejects(
    oneAtATime(path, async () => {
      throw new Error('no');
    }),
  );
  assert.equal(await oneAtATime(path, async () => 5), 5);
});

test('the lock of a process that has died is taken over, at once on the same host, by age on another', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  await writeFile(path, JSON.stringify({ pid, host: hostname() }));
  assert.equal(await oneAtATime(path, async () => 1), 1);
  await writeFile(path, JSON.stringify({ pid: 1, host: 'elsewhere' }));
  const longAgo = new Date(Date.now() - 120_000);
  await utimes(path, longAgo, longAgo);
  assert.equal(await oneAtATime(path, async () => 2), 2);
});

test('the lock of a process that lives is waited for', async () => {
  await writeFile(path, JSON.stringify({ pid: process.pid, host: hostname() }));
  let entered = false;
  const waiting = oneAtATime(path, async () => {
    entered = true;
  });
  await new Promise((wake) => setTimeout(wake, 500));
  assert.equal(entered, false);
  await rm(path);
  await waiting;
  assert.equal(entered, true);
});
