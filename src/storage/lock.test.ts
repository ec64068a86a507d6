import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../errors.js';
import { ownIdentity } from '../process/process-identity.js';
import { lockFolder } from './lock.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-lock-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const newFolder = () => {
  const folder = join(scratch, String(count++));
  fs.mkdirSync(folder);
  return folder;
};
const lockModule = new URL('./lock.js', import.meta.url).href;

/** Runs a script in a process of its own that has `lockFolder` at hand. */
function run(script: string, ...args: string[]) {
  const source = `import { lockFolder } from ${JSON.stringify(lockModule)};\n${script}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source, '--', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
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

test('of many who take a dead lock over at once, exactly one wins', async () => {
  const rounds = 40;
  const takers = 4;
  const folders = Array.from({ length: rounds }, newFolder);
  for (const folder of folders) plant(folder, deadOwner);
  // Each round begins for all at the same millisecond; the winners keep what they won to the end.
  const children = Array.from({ length: takers }, () =>
    run(
      `import { createInterface } from 'node:readline';
       const folders = process.argv.slice(1);
       console.log('ready');
       process.stdin.once('data', async (data) => {
         let won = [];
         for (const [round, folder] of folders.entries()) {
           while (Date.now() < Number(data) + 25 * round);
           await lockFolder(folder).then(() => won.push(round), (error) => { if (error.name !== 'UserError') throw error; });
         }
         console.log('won ' + JSON.stringify(won));
       });
       process.stdin.on('end', () => process.exit());`,
      ...folders,
    ),
  );
  await Promise.all(children.map((child) => once(child.stdout, 'data')));
  const start = Date.now() + 50;
  const results = await Promise.all(
    children.map(async (child) => {
      const answer = once(child.stdout, 'data');
      child.stdin.write(String(start));
      return JSON.parse(String(await answer).replace('won ', '')) as number[];
    }),
  );
  for (const child of children) child.stdin.end();
  assert.deepEqual(
    results.flat().sort((a, b) => a - b),
    folders.map((_, round) => round),
  );
});
