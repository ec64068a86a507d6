import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { UserError } from '../../errors.js';
import { writeDurably } from './checksum.js';
import {
  checkOwnership,
  engineFolder,
  prepareStore,
  publish,
  readComplete,
  storeAlone,
  storeError,
} from './store.js';
import { FakeMachine } from './testing/fake-machine.js';

const posix = process.platform === 'win32' ? 'Windows has other permissions' : false;
let machine: FakeMachine;
beforeEach(async () => {
  machine = await FakeMachine.start();
});
afterEach(() => machine.stop());

const build = (content: string) => async (folder: string) => ({
  facts: { made: 'by a test' },
  files: { 'a.bin': await writeDurably(join(folder, 'a.bin'), content) },
});

test('what is published is complete and sealed', async () => {
  const folder = await publish('thing', build('content'));
  assert.equal(folder, join(engineFolder(), 'thing'));
  assert.deepEqual(await readComplete(folder), {
    format: 1,
    facts: { made: 'by a test' },
    files: {
      'a.bin': { size: 7, sha256: 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73' },
    },
  });
});

test('one process changes the store at a time, so that none tidies away what another is at', async () => {
  const said: string[] = [];
  const setUp = (name: string) =>
    storeAlone(
      async () => {
        await publish(name, async (scratch) => {
          await setTimeout(50);
          return build(name)(scratch);
        });
      },
      { what: name, say: (line) => said.push(line) },
    );
  await Promise.all([setUp('engine'), setUp('ffmpeg')]);
  for (const name of ['engine', 'ffmpeg']) {
    assert.equal(await readFile(join(engineFolder(), name, 'a.bin'), 'utf8'), name);
  }
  assert.match(said.join(), /^waiting for process \d+ on .*, which is setting up something there$/);
});

test('what fails leaves the old one, and nothing else', async () => {
  const folder = await publish('thing', build('old'));
  const failing = publish('thing', async (scratch) => {
    await build('new')(scratch);
    throw new Error('no more');
  });
  await assert.rejects(failing, /no more/);
  assert.equal(await readFile(join(folder, 'a.bin'), 'utf8'), 'old');
  assert.deepEqual(await readdir(engineFolder()), ['thing']);
});

test('a new one takes the place of the old one', async () => {
  await publish('thing', build('old'));
  const folder = await publish('thing', build('newer'));
  assert.equal(await readFile(join(folder, 'a.bin'), 'utf8'), 'newer');
  assert.deepEqual(await readdir(engineFolder()), ['thing']);
});

test('a folder is complete only with a sound complete.json and every file in full size', async () => {
  const folder = await publish('thing', build('content'));
  const marker = join(folder, 'complete.json');
  const sound = await readFile(marker, 'utf8');
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '{"format":2}',
    '{"format":1}',
    sound.replace('"format": 1', '"format": 9'),
  ]) {
    await writeFile(marker, text);
    assert.equal(await readComplete(folder), undefined, text);
  }
  await rm(marker);
  assert.equal(await readComplete(folder), undefined);
  await writeFile(marker, sound);
  assert.ok(await readComplete(folder));
  await writeFile(join(folder, 'a.bin'), 'conten');
  assert.equal(await readComplete(folder), undefined);
  await rm(join(folder, 'a.bin'));
  assert.equal(await readComplete(folder), undefined);
});

test('a folder that others can write is closed when it is ours', { skip: posix }, async () => {
  await mkdir(engineFolder(), { recursive: true });
  await chmod(engineFolder(), 0o777);
  await assert.rejects(
    checkOwnership(),
    (error) => error instanceof UserError && /chmod -R go-w/.test(error.fix!),
  );
  await prepareStore();
  await checkOwnership();
});

test('a cache folder that is there keeps its mode', { skip: posix }, async () => {
  const cache = join(machine.folder, 'cache');
  await mkdir(cache, { recursive: true });
  await chmod(cache, 0o1777);
  await prepareStore();
  assert.equal((await stat(cache)).mode & 0o7777, 0o1777);
  assert.equal((await stat(engineFolder())).mode & 0o022, 0);
});

test("an engine that is a link, or somebody else's, is refused", { skip: posix }, async (context) => {
  await mkdir(join(machine.folder, 'cache'), { recursive: true });
  await mkdir(join(machine.folder, 'elsewhere'));
  await symlink(join(machine.folder, 'elsewhere'), engineFolder());
  await assert.rejects(checkOwnership(), /symbolic link/);
  if (process.getuid!() !== 0) return context.diagnostic('only root can give a folder away');
  await rm(engineFolder());
  await mkdir(engineFolder());
  await chown(engineFolder(), 4242, 4242);
  await assert.rejects(checkOwnership(), /another user/);
});

test('a cache that cannot be is one sentence with what to do', { skip: posix }, async () => {
  await writeFile(join(machine.folder, 'file'), '');
  process.env.GNBENCH_CACHE = join(machine.folder, 'file', 'cache');
  await assert.rejects(publish('thing', build('x')), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /cannot be written/);
    assert.match(error.fix!, /GNBENCH_CACHE/);
    return true;
  });
});

test('a full disk and a read-only one have their sentences; those that are none of the system’s stay', () => {
  const coded = (code: string) => Object.assign(new Error(code), { code });
  assert.match((storeError(coded('ENOSPC')) as UserError).message, /full/);
  assert.match((storeError(coded('EDQUOT')) as UserError).message, /full/);
  assert.match((storeError(coded('EROFS')) as UserError).message, /cannot be written/);
  assert.match((storeError(coded('EMFILE')) as UserError).fix!, /ulimit -n/);
  const other = new Error('none of the system’s');
  assert.equal(storeError(other), other);
});
