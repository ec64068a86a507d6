import assert from 'node:assert/strict';
import { lstat, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../../errors.js';
import { provide } from './index.js';
import { defaultSource } from './platform.js';
import { FakeMachine, members, pin } from './testing/fake-machine.js';
import { wheelEngine } from './wheel.js';
import type { Wheel } from './wheels.js';

const skip = defaultSource() === 'wheel' ? false : 'the wheel is for Linux with glibc on x64';
let machine: FakeMachine;
beforeEach(async () => {
  machine = await FakeMachine.start();
});
afterEach(() => machine.stop());

const find = async (wheel: Wheel = machine.wheel) => (await wheelEngine('cpu', [wheel])).find();
const provision = async (options: Parameters<typeof provide>[1] = {}, wheel: Wheel = machine.wheel) =>
  provide(await wheelEngine('cpu', [wheel]), { quiet: true, ...options });
const failure = (message: RegExp, fix: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UserError, String((error as Error).stack));
  assert.match(error.message, message);
  assert.match(error.fix ?? '', fix);
  return true;
};
/** Nothing that a later start could take for an engine, nor rubbish. */
const leftNothing = async () => {
  assert.equal(await find(), undefined);
  assert.deepEqual(await machine.engineNames(), []);
};

describe('the engine from the wheel', { skip }, () => {
  test('holds what is needed of the wheel and nothing else, and is found again', async () => {
    const engine = await provision();
    for (const [name, content] of Object.entries(members).slice(0, 4)) {
      assert.equal(await readFile(join(engine.folder, name), 'utf8'), content);
    }
    const names = await readdir(engine.folder, { recursive: true });
    assert.ok(!names.some((name) => /external|python|downloads/.test(name)), names.join());
    assert.equal(engine.tensorflow, '2.21.0');
    assert.ok(engine.nativeOps && engine.logLevel);
    const { downloads, compilations } = await machine.calls();
    assert.deepEqual(await provision(), engine);
    assert.deepEqual(await find(), engine);
    const after = await machine.calls();
    assert.deepEqual([after.downloads, after.compilations], [downloads, compilations]);
  });

  test('is closed for writing by others, whatever the umask', async () => {
    const umask = process.umask(0o000);
    await provision().finally(() => process.umask(umask));
    const cache = join(machine.folder, 'cache');
    for (const name of ['.', ...(await readdir(cache, { recursive: true }))]) {
      const { mode } = await lstat(join(cache, name));
      assert.equal(mode & 0o022, 0, `${name} has mode ${mode.toString(8)}`);
    }
  });

  test('asks pip for exactly the pinned file', async () => {
    await provision();
    const line = (await machine.calls()).lines.find((call) => call.startsWith('pip '))!;
    for (const flag of ['--require-hashes', '--no-cache-dir', '--no-deps', '--only-binary=:all:']) {
      assert.ok(line.includes(` ${flag} `), flag);
    }
  });

  test('another file than the pinned one is refused', async () => {
    const other = { ...machine.wheel, sha256: 'a'.repeat(64) };
    await assert.rejects(provision({}, other), failure(/not the pinned file/, /not used/));
    assert.equal(await find(other), undefined);
    await leftNothing();
  });

  test('a pinned file that is damaged is refused', async () => {
    const half = (await readFile(process.env.FAKE_WHEEL!)).subarray(0, 500);
    await machine.offer(half);
    await assert.rejects(provision({}, pin(half)), failure(/damaged/, /--force/));
    await leftNothing();
  });

  test('other pins make another engine of the same name', async () => {
    await provision();
    assert.equal(await find({ ...machine.wheel, version: '2' }), undefined);
  });

  test('a file that lost bytes is not trusted, and replaced', async () => {
    const engine = await provision();
    await truncate(join(engine.folder, 'tensorflow/libtensorflow_cc.so.2'), 10);
    assert.equal(await find(), undefined);
    assert.deepEqual(await provision(), engine);
    assert.equal((await machine.calls()).downloads, 2);
  });

  for (const name of ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/include/tensorflow/c/c_api.h']) {
    test(`setup finds that ${name} was changed, and replaces it`, async () => {
      const engine = await provision({ verify: true });
      assert.equal((await machine.calls()).downloads, 1);
      const path = join(engine.folder, name);
      const content = await readFile(path, 'utf8');
      await writeFile(path, content.replace(/.$/, '!'));
      await provision({ verify: true });
      assert.equal(await readFile(path, 'utf8'), content);
      assert.equal((await machine.calls()).downloads, 2);
    });
  }

  test('--force provides everything anew', async () => {
    await provision();
    const { compilations } = await machine.calls();
    await provision({ force: true });
    const after = await machine.calls();
    assert.deepEqual([after.downloads, after.compilations], [2, 2 * compilations]);
  });
});

describe('what is compiled', { skip }, () => {
  test('another compiler builds anew, without another download', async () => {
    const first = await provision();
    process.env.FAKE_CXX_VERSION = '14.2';
    assert.equal(await find(), undefined);
    const second = await provision();
    assert.notEqual(second.binding, first.binding);
    assert.notEqual(second.nativeOps, first.nativeOps);
    assert.equal((await machine.calls()).downloads, 1);
    delete process.env.FAKE_CXX_VERSION;
    assert.deepEqual(await find(), first);
  });

  test('without a compiler nothing is downloaded in vain', async () => {
    process.env.CXX = join(machine.folder, 'none');
    await assert.rejects(provision(), failure(/C\+\+ compiler/, /install|add|-S/));
    assert.equal((await machine.calls()).downloads, 0);
    await leftNothing();
  });

  test('nor where an engine is there that is to be provided anew', async () => {
    await provision();
    process.env.CXX = join(machine.folder, 'none');
    await assert.rejects(provision({ force: true }), failure(/C\+\+ compiler/, /install|add|-S/));
    assert.equal((await machine.calls()).downloads, 1);
  });

  test('a machine without a compiler uses what another one built', async () => {
    const engine = await provision();
    process.env.CXX = join(machine.folder, 'none');
    assert.deepEqual(await find(), engine);
  });

  test('without a compiler and without the operations, the engine serves and says why', async () => {
    process.env.FAKE_CXX = 'no-ops';
    const { binding } = await provision();
    process.env.CXX = join(machine.folder, 'none');
    const engine = await find();
    assert.equal(engine?.binding, binding);
    assert.equal(engine?.nativeOps, undefined);
    assert.match(engine?.nativeOpsMissing ?? '', /no C\+\+ compiler/);
  });

  test('operations that cannot be compiled are left out, not tried at each start, and tried by setup', async () => {
    process.env.FAKE_CXX = 'no-ops';
    const engine = await provision();
    assert.equal(engine.nativeOps, undefined);
    assert.match(engine.nativeOpsMissing ?? '', /too old/);
    const recipe = await wheelEngine('cpu', [machine.wheel]);
    assert.equal(recipe.isImprovable(engine), false);
    delete process.env.FAKE_CXX;
    assert.ok((await provision({ verify: true })).nativeOps);
  });

  test('a disk that is full for a while is no reason to leave the operations out for good', async () => {
    process.env.FAKE_CXX = 'full';
    const engine = await provision();
    assert.equal(engine.nativeOps, undefined);
    assert.match(engine.nativeOpsMissing ?? '', /full/);
    delete process.env.FAKE_CXX;
    const recipe = await wheelEngine('cpu', [machine.wheel]);
    assert.equal(recipe.isImprovable(engine), true);
    assert.ok((await provision()).nativeOps);
  });

  test('a compiler that was killed for its memory is tried again at the next start', async () => {
    process.env.FAKE_CXX = 'killed';
    const engine = await provision();
    assert.equal(engine.nativeOps, undefined);
    delete process.env.FAKE_CXX;
    const recipe = await wheelEngine('cpu', [machine.wheel]);
    assert.equal(recipe.isImprovable(engine), true);
    assert.ok((await provision()).nativeOps);
  });

  test('a binding that cannot be compiled is one error that quotes the compiler', async () => {
    process.env.FAKE_CXX = 'nothing';
    await assert.rejects(provision(), failure(/nothing compiles/, /--debug/));
    assert.equal(await find(), undefined);
    delete process.env.FAKE_CXX;
    await provision();
    assert.equal((await machine.calls()).downloads, 1, 'the library had been there');
  });
});

describe('several processes', { skip }, () => {
  test('two at once download and compile once, and both have it', async () => {
    process.env.FAKE_PIP = 'slow'; // slow enough for the other one to come upon it
    const [one, two] = await Promise.all([
      machine.provisionInChild().ended,
      machine.provisionInChild().ended,
    ]);
    assert.equal(one.code, 0, one.output);
    assert.equal(two.code, 0, two.output);
    assert.match(one.output + two.output, /waiting for process \d+ on/);
    const { downloads, lines } = await machine.calls();
    assert.equal(downloads, 1);
    assert.equal(lines.filter((line) => line.includes('-o') && line.includes('tfjs_binding.node')).length, 1);
    assert.ok(await find());
  });

  for (const [moment, environment, partial] of [
    ['the download', { FAKE_PIP: 'hang' }, 'half.whl'],
    ['compiling', { FAKE_CXX: 'hang' }, 'objects'],
  ] as const) {
    test(`one killed during ${moment} leaves nothing that is trusted, nor in the way`, async () => {
      const { child, ended } = machine.provisionInChild(environment);
      await appears(partial);
      child.kill('SIGKILL');
      assert.equal((await ended).signal, 'SIGKILL');
      assert.equal(await find(), undefined);
      const started = performance.now();
      assert.ok(await provision());
      assert.ok(performance.now() - started < 10_000, 'the dead one was waited for');
      assert.ok(!(await machine.engineNames()).some((name) => /partial|lock$/.test(name)));
    });

    test(`one told to end during ${moment} tidies up`, async () => {
      const { child, ended } = machine.provisionInChild(environment);
      await appears(partial);
      child.kill('SIGTERM');
      const { code, output } = await ended;
      assert.equal(code, 143, output);
      assert.match(output, /interrupted by SIGTERM/);
      assert.equal(await find(), undefined);
      assert.ok(!(await machine.engineNames()).some((name) => /partial|lock$/.test(name)));
    });
  }

  test('kills at any moment: the engine is whole or not there', async () => {
    for (let delay = 60; delay <= 480; delay += 60) {
      const { child, ended } = machine.provisionInChild();
      await wait(delay);
      child.kill('SIGKILL');
      await ended;
      const engine = await find();
      if (!engine) continue;
      for (const [name, content] of Object.entries(members).slice(0, 3)) {
        assert.equal(await readFile(join(engine.folder, name), 'utf8'), content);
      }
      assert.equal(await readFile(engine.binding, 'utf8'), 'built\n');
    }
    const engine = await provision({ verify: true });
    assert.deepEqual(await readdir(dirname(engine.binding)), ['complete.json', 'tfjs_binding.node']);
  });
});

/** Waits until a child has come as far as to write a file of that name into its unfinished folder. */
async function appears(name: string) {
  const store = join(machine.folder, 'cache', 'engine');
  for (let tries = 0; tries < 200; tries++) {
    const names = await readdir(store, { recursive: true }).catch(() => []);
    if (names.some((path) => path.includes('.partial-') && path.endsWith(name))) return;
    await wait(25);
  }
  assert.fail(`${name} never appeared`);
}
