import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { UserError } from '../errors.js';
import { ownIdentity } from '../process/process-identity.js';
import { lockFolder, lockOwner, withLock } from './lock.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-lock-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const newFolder = () => {
  const folder = join(scratch, String(count++));
  fs.mkdirSync(folder);
  return folder;
};
const lockModule = new URL('./lock.js', import.meta.url).href;

/** Runs a script in a process of its own that has the locks at hand. */
function run(script: string, ...args: string[]) {
  const source = `import { lockFolder, withLock } from ${JSON.stringify(lockModule)};\n${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, '--', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  after(() => child.kill());
  return child;
}

/** Puts a lock there that names `owner`, last touched `age` seconds ago. */
function plant(folder: string, owner: object | string, age = 0, name = 'run.lock') {
  const path = join(folder, name);
  fs.writeFileSync(path, typeof owner === 'string' ? owner : JSON.stringify(owner));
  const then = Date.now() / 1000 - age;
  fs.utimesSync(path, then, then);
}

const refusal = (expected: RegExp) => (error: unknown) =>
  error instanceof UserError && error.exitCode === 2 && expected.test(error.message);
const deadOwner = { ...ownIdentity(), pid: 2 ** 22 + 1 }; // above Linux's largest pid

test('a second lock is refused with the owner’s process and host; released, it is free', async () => {
  const folder = newFolder();
  const lock = await lockFolder(folder);
  assert.ok(lock.held());
  await assert.rejects(
    lockFolder(folder),
    refusal(new RegExp(`process ${process.pid} on ${hostname()} is writing`)),
  );
  assert.ok(lock.held());
  const other = await lockFolder(folder, 'other.lock');
  await other.release();
  await lock.release();
  assert.deepEqual(fs.readdirSync(folder), []);
  await (await lockFolder(folder)).release();
});

test('a lock that is a link to nowhere is told, and not waited for for ever', async () => {
  const folder = newFolder();
  fs.symlinkSync(join(folder, 'nowhere'), join(folder, 'run.lock'));
  await assert.rejects(lockFolder(folder), (error: UserError) => {
    assert.match(error.message, /symbolic link to nowhere/);
    return error instanceof UserError;
  });
});

test('a folder that is missing is an error of the user’s', async () => {
  await assert.rejects(lockFolder(join(scratch, 'missing')), refusal(/no such file or folder/));
});

test('the lock of a process killed with SIGKILL is taken over, also before its parent has noticed', async () => {
  const folder = newFolder();
  const child = run(
    'await lockFolder(process.argv[1]); console.log("locked"); setInterval(() => {}, 1000);',
    folder,
  );
  await once(child.stdout, 'data');
  await assert.rejects(lockFolder(folder), refusal(new RegExp(`process ${child.pid} on`)));
  child.kill('SIGKILL');
  // Without a turn of the event loop nobody reaps the child: it stays a zombie.
  const deadline = Date.now() + 5000;
  let lock: Awaited<ReturnType<typeof lockFolder>> | undefined;
  while (!lock && Date.now() < deadline) lock = await lockFolder(folder).catch(() => undefined);
  assert.ok(lock);
  assert.deepEqual(fs.readdirSync(folder), ['run.lock']);
  await lock.release();
});

test('a process that ends normally leaves no hanging event loop, and its lock is taken over', async () => {
  const folder = newFolder();
  const child = run('await lockFolder(process.argv[1]);', folder);
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.ok(fs.existsSync(join(folder, 'run.lock')));
  await (await lockFolder(folder)).release();
});

test('another process that got the owner’s pid later is not taken for it', {
  skip: process.platform !== 'linux',
}, async () => {
  const folder = newFolder();
  plant(folder, { ...ownIdentity(), started: '1' });
  await (await lockFolder(folder)).release();
  plant(folder, ownIdentity());
  await assert.rejects(lockFolder(folder), UserError);
});

test('an owner that cannot be asked lives as long as its lock is touched', async () => {
  for (const owner of [
    { ...ownIdentity(), host: 'elsewhere' },
    { ...ownIdentity(), space: 'another boot or container' },
    'not a lock at all',
    '',
  ]) {
    const folder = newFolder();
    plant(folder, owner, 60);
    await assert.rejects(lockFolder(folder), refusal(/is writing here/));
    plant(folder, owner, 180);
    await (await lockFolder(folder)).release();
  }
});

test('a taker that died on the way does not stand in the way of the next', async () => {
  const folder = newFolder();
  plant(folder, deadOwner);
  plant(folder, deadOwner, 0, 'run.lock.takeover');
  plant(folder, deadOwner, 0, 'run.lock.takeover.takeover');
  plant(folder, deadOwner, 0, 'run.lock.0123456789abcdef');
  const lock = await lockFolder(folder);
  assert.deepEqual(fs.readdirSync(folder), ['run.lock']);
  await lock.release();
});

test('a lock that was lost to another process is known as lost, and left alone', async () => {
  const folder = newFolder();
  const lock = await lockFolder(folder);
  fs.rmSync(join(folder, 'run.lock'));
  const next = await lockFolder(folder);
  assert.equal(lock.held(), false);
  await lock.release();
  assert.ok(next.held());
  await next.release();
});

test('the lock is touched every ten seconds, whatever the machine’s clock says', async (context) => {
  const folder = newFolder();
  context.mock.timers.enable({ apis: ['setInterval'] });
  const lock = await lockFolder(folder);
  fs.utimesSync(join(folder, 'run.lock'), 1000, 1000);
  context.mock.timers.tick(10_000);
  assert.ok(Date.now() - fs.statSync(join(folder, 'run.lock')).mtimeMs < 60_000);
  await lock.release();
  context.mock.timers.tick(10_000);
});

test('six waiters on a dead owner, 200 times: one after the other, and never two at once', {
  timeout: 120_000,
}, async () => {
  const rounds = 200;
  const folders = Array.from({ length: rounds }, newFolder);
  for (const folder of folders) plant(folder, deadOwner, 0, 'lock');
  // Every waiter says that it is there; all begin a round when the last has ended the one before.
  const children = Array.from({ length: 6 }, () =>
    run(
      `import * as fs from 'node:fs';
       import { createInterface } from 'node:readline';
       const folders = process.argv.slice(1);
       const pause = () => new Promise((wake) => setTimeout(wake, 3));
       console.log('ready');
       for await (const round of createInterface({ input: process.stdin })) {
         let alone = 'alone';
         await withLock(folders[round] + '/lock', async () => {
           try { fs.closeSync(fs.openSync(folders[round] + '/inside', 'wx')); } catch { alone = 'two owners'; }
           await new Promise((wake) => setTimeout(wake, 1));
           fs.rmSync(folders[round] + '/inside', { force: true });
         }, { pause });
         console.log(alone);
       }`,
      ...folders,
    ),
  );
  const answers = children.map((child) => createInterface({ input: child.stdout })[Symbol.asyncIterator]());
  const next = () => Promise.all(answers.map(async (lines) => (await lines.next()).value as string));
  assert.deepEqual(new Set(await next()), new Set(['ready']));
  for (const [round, folder] of folders.entries()) {
    for (const child of children) child.stdin.write(`${round}\n`);
    assert.deepEqual(new Set(await next()), new Set(['alone']), `round ${round}`);
    assert.deepEqual(fs.readdirSync(folder), []);
  }
  for (const child of children) child.stdin.end();
});

test('of many who take a dead lock over at once, exactly one wins', async () => {
  const rounds = 40;
  const folders = Array.from({ length: rounds }, newFolder);
  for (const folder of folders) plant(folder, deadOwner);
  // The winners keep what they won to the end.
  const children = Array.from({ length: 4 }, () =>
    run(
      `import { createInterface } from 'node:readline';
       const folders = process.argv.slice(1);
       console.log('ready');
       for await (const round of createInterface({ input: process.stdin })) {
         await lockFolder(folders[round]).then(() => console.log('won'), (error) => {
           if (error.name !== 'UserError') throw error;
           console.log('refused');
         });
       }
       process.exit();`,
      ...folders,
    ),
  );
  const answers = children.map((child) => createInterface({ input: child.stdout })[Symbol.asyncIterator]());
  const next = () => Promise.all(answers.map(async (lines) => (await lines.next()).value as string));
  await next();
  for (let round = 0; round < rounds; round++) {
    for (const child of children) child.stdin.write(`${round}\n`);
    assert.deepEqual((await next()).sort(), ['refused', 'refused', 'refused', 'won'], `round ${round}`);
  }
  for (const child of children) child.stdin.end();
});

test('a lock that somebody may be taking over is given back when that is decided', async () => {
  const folder = newFolder();
  const path = join(folder, 'run.lock');
  const lock = await lockFolder(folder);
  // This process holds the guard, as one does that found the owner dead by the age of its lock.
  plant(folder, ownIdentity(), 0, 'run.lock.takeover');
  const released = lock.release();
  assert.ok(fs.existsSync(path), 'it is not removed while another process may be replacing it');
  const successor = JSON.stringify({ ...ownIdentity(), token: 'successor' });
  fs.writeFileSync(path, successor);
  fs.rmSync(join(folder, 'run.lock.takeover'));
  await released;
  assert.equal(fs.readFileSync(path, 'utf8'), successor);
});

test('a process that waits is told for whom, once, and can be called off', async () => {
  const path = join(newFolder(), 'deeper', 'lock');
  const told: string[] = [];
  let pauses = 0;
  let entered = false;
  let leave = () => {};
  const first = withLock(path, () => new Promise<void>((resolve) => (leave = resolve)));
  const second = withLock(path, async () => (entered = true), {
    onWait: (owner) => told.push(owner),
    pause: async () => {
      assert.equal(entered, false);
      if (++pauses === 3) leave();
      await new Promise(setImmediate);
    },
  });
  await Promise.all([first, second]);
  assert.ok(entered && pauses >= 3);
  assert.deepEqual(told, [`process ${process.pid} on ${hostname()}`]);

  const abort = new AbortController();
  const third = withLock(path, () => new Promise<void>((resolve) => (leave = resolve)));
  const calledOff = withLock(path, async () => assert.fail('it was called off'), {
    signal: abort.signal,
    onWait: () => abort.abort(),
  });
  await assert.rejects(calledOff, { name: 'AbortError' });
  leave();
  await third;
  assert.deepEqual(fs.readdirSync(join(path, '..')), []);
});

test('a failure of what is done under a lock frees it', async () => {
  const path = join(newFolder(), 'lock');
  await assert.rejects(
    withLock(path, async () => {
      throw new Error('no');
    }),
    /no/,
  );
  assert.equal(await withLock(path, async () => 5), 5);
});

test('the age of a lock is told by the file system’s clock, not by this machine’s', async (context) => {
  const folder = newFolder();
  const elsewhere = { ...ownIdentity(), host: 'elsewhere' };
  plant(folder, elsewhere);
  const leftover = 'run.lock.0123456789abcdef';
  plant(folder, elsewhere, 0, leftover);
  // A clock that is an hour ahead of the file system's.
  const { now } = Date;
  context.mock.method(Date, 'now', () => now() + 3_600_000);
  assert.deepEqual(lockOwner(folder), { pid: process.pid, host: 'elsewhere' });
  await assert.rejects(lockFolder(folder), refusal(/on elsewhere is writing here/));
  fs.rmSync(join(folder, 'run.lock'));
  const lock = await lockFolder(folder);
  assert.deepEqual(fs.readdirSync(folder).sort(), ['run.lock', leftover]);
  await lock.release();
});
