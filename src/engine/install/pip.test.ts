import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { UserError } from '../../errors.js';
import { downloadWheel, findPip } from './pip.js';
import { FakeMachine } from './testing/fake-machine.js';

const skip = process.platform === 'win32' ? 'the fake pip is a shell script' : false;
let machine: FakeMachine;
beforeEach(async () => {
  machine = await FakeMachine.start();
});
afterEach(() => machine.stop());

const download = () => downloadWheel(machine.wheel, join(machine.folder, 'downloads'), { quiet: true });

/** The output of pip 23.2 and 24.0, shortened. */
const cases: [string, string, RegExp, RegExp][] = [
  [
    'no network',
    `WARNING: Retrying (Retry(total=2, connect=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/tensorflow-cpu/
ERROR: Could not find a version that satisfies the requirement tensorflow-cpu==1 (from versions: none)
ERROR: No matching distribution found for tensorflow-cpu==1`,
    /no connection/,
    /HTTPS_PROXY.*PIP_FIND_LINKS/,
  ],
  [
    'an index without the file',
    `ERROR: Could not find a version that satisfies the requirement tensorflow-cpu==1 (from versions: 2.16.1, 2.17.0)
ERROR: No matching distribution found for tensorflow-cpu==1`,
    /does not have tensorflow-cpu 1/,
    /pip config list/,
  ],
  [
    'another checksum',
    `ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package versions, please update the hashes.
    tensorflow-cpu==1 from https://example.org/tensorflow_cpu.whl:
        Expected sha256 aaaa
             Got        ${'b'.repeat(64)}`,
    /not the pinned file: its sha256 is b{64}/,
    /not used/,
  ],
  [
    'a full disk',
    'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device',
    /disk .* is full/,
    /GNBENCH_CACHE/,
  ],
  ['anything else', 'ERROR: something new', /pip could not download .*something new/, /--debug/],
];

for (const [what, output, message, fix] of cases) {
  test(`${what} is one sentence with what to do`, { skip }, async () => {
    process.env.FAKE_PIP = output;
    await assert.rejects(download(), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      assert.match(error.fix!, fix);
      assert.equal(error.exitCode, 1);
      return true;
    });
  });
}

test('a Python without pip, and none at all, are told apart', { skip }, async () => {
  process.env.FAKE_PIP = 'absent';
  process.env.PATH = join(machine.folder, 'programs');
  process.env.PATH += ':/bin';
  const withoutPip = await findPip();
  process.env.PATH = '/nowhere';
  const withoutPython = await findPip();
  assert.deepEqual(withoutPython, { missing: 'python' });
  await assert.rejects(
    download(),
    (error) => error instanceof UserError && /Python 3 with pip/.test(error.message),
  );
  // If the system has a `python` with pip, that one is rightly found.
  assert.ok('python' in withoutPip || withoutPip.missing === 'pip');
});

test('what was fetched is where it is said to be', { skip }, async () => {
  const path = await download();
  assert.deepEqual(
    (await readdir(join(machine.folder, 'downloads')))
      .filter((name) => name.endsWith('.whl'))
      .map((name) => join(machine.folder, 'downloads', name)),
    [path],
  );
});

test('files of the working folder are neither run nor in the way', { skip }, async (t) => {
  const [before, folder] = [process.cwd(), join(machine.folder, 'project')];
  await mkdir(folder);
  process.env.PATH = '/usr/bin:/bin';
  const python = await findPip();
  if ('missing' in python) return t.skip('there is no Python with pip here');
  await writeFile(join(folder, 'pip.py'), 'open("run", "w")');
  await writeFile(join(folder, 'token.py'), 'raise SystemExit(1)');
  process.chdir(folder);
  try {
    assert.deepEqual(await findPip(), python);
    assert.ok(!(await readdir(folder)).includes('run'));
  } finally {
    process.chdir(before);
  }
});
