import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Check } from '../engine/install/check.js';
import { defaultSource } from '../engine/install/platform.js';
import { FakeMachine } from '../engine/install/testing/fake-machine.js';

const skip =
  defaultSource() === 'wheel' ? false : "the wheel's tools are looked for on Linux with glibc on x64";
let machine: FakeMachine;
beforeEach(async () => {
  machine = await FakeMachine.start();
});
afterEach(() => machine.stop());

/** `doctor` in a process of its own: its output is what is tested. */
function doctor(
  options: object,
  environment: NodeJS.ProcessEnv = {},
): Promise<{ code: number; output: string }> {
  const url = new URL('./doctor.js', import.meta.url);
  const program = `import { doctor } from '${url}'; process.exitCode = await doctor(${JSON.stringify(options)})`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, GNBENCH_DATA: '', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code!, output })));
}

const checksOf = (output: string): Record<string, Check> =>
  Object.fromEntries((JSON.parse(output).checks as Check[]).map((check) => [check.name, check]));

test('a bare machine: what is missing, and the command for each', { skip }, async () => {
  const bare = { PATH: '/nowhere', CXX: '/nowhere/c++' };
  const { code, output } = await doctor({ json: true }, bare);
  assert.equal(code, 1);
  assert.equal(JSON.parse(output).ok, false);
  const checks = checksOf(output);
  for (const name of ['pip', 'compiler', 'engine', 'cifar10']) {
    assert.equal(checks[name].state, 'missing', name);
    assert.match(checks[name].fix!, /^(sudo )?\S+ \S+/, name);
  }
  assert.deepEqual(
    Object.values(checks)
      .filter(({ blocks }) => blocks)
      .map(({ name }) => name),
    ['pip', 'compiler', 'engine'],
  );
  for (const name of ['node', 'processor', 'bfloat16', 'threads'])
    assert.equal(checks[name].state, 'found', name);

  const text = await doctor({}, bare);
  assert.equal(text.code, 1);
  assert.match(text.output, /^missing +pip .*\n +-> /m);
  assert.match(text.output, /gnbench run cannot work: pip is missing/);
});

test('with the tools there, an engine that is not does not stop a run', { skip }, async () => {
  const { code, output } = await doctor({ json: true });
  assert.equal(code, 0);
  const { engine } = checksOf(output);
  assert.deepEqual([engine.state, engine.fix, engine.blocks], ['missing', 'npx gnbench setup', false]);
  assert.equal((await machine.calls()).downloads, 0, 'doctor downloads nothing');
  assert.deepEqual(await machine.engineNames(), []);
});

test('a cache below a file is none', { skip }, async () => {
  const file = join(machine.folder, 'afile');
  await writeFile(file, '');
  const { code, output } = await doctor({ json: true }, { GNBENCH_CACHE: join(file, 'cache') });
  assert.equal(code, 1);
  assert.match(checksOf(output).cache.detail, /cannot be made: .*afile is a file$/);
});

test('data sets are found where --data says', { skip }, async () => {
  const folder = join(machine.folder, 'data', 'cifar-10-batches-bin');
  await mkdir(folder, { recursive: true });
  const { output } = await doctor({ json: true, dataFolder: join(machine.folder, 'data') });
  assert.deepEqual(checksOf(output).cifar10, {
    name: 'cifar10',
    state: 'found',
    detail: folder,
    blocks: false,
  });
});
