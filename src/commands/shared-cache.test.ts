import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../cache.js';

const gnbench = fileURLToPath(new URL('../../bin/gnbench.js', import.meta.url));
const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
const reachable = ['test', '-r', gnbench, '-a', '-x', process.execPath];
const possible = process.getuid?.() === 0 && spawnSync('setpriv', [...asNobody, ...reachable]).status === 0;
const skip = possible
  ? false
  : 'another user can only be put on by root, with setpriv, and must reach these files';

test('with a cache of root’s that may only be read, doctor, run and eval agree that they can work', {
  skip,
}, (t) => {
  const scratch = mkdtempSync(join(tmpdir(), 'gnbench-shared-'));
  t.after(() => rmSync(scratch, { recursive: true, force: true }));
  chmodSync(scratch, 0o755);
  const cache = join(scratch, 'cache');
  // Links where they can be: the engine has a gigabyte.
  const linked = spawnSync('cp', ['-al', cacheFolder(), cache]).status === 0;
  if (!linked) execFileSync('cp', ['-a', `${cacheFolder()}/.`, cache]);
  const home = join(scratch, 'home');
  mkdirSync(home);
  chmodSync(home, 0o777);
  const config = join(scratch, 'tiny.yaml');
  writeFileSync(
    config,
    'model: resnet20\nnormalizer: gn\ndata: { name: synthetic, trainSubset: 16, valSubset: 8 }\nbatch: { size: 8 }\nepochs: 1\n',
  );
  const other = (...args: string[]) =>
    spawnSync('setpriv', [...asNobody, process.execPath, gnbench, ...args], {
      cwd: home,
      env: { PATH: process.env.PATH, HOME: home, GNBENCH_CACHE: cache },
      encoding: 'utf8',
    });
  const done = (...args: string[]) => {
    const { status, stdout, stderr } = other(...args);
    assert.deepEqual([status, stderr], [0, ''], `${args[0]}: ${stdout}`);
    return stdout;
  };
  assert.match(done('doctor'), /gnbench run can work here/);
  done('run', config, '--out', join(home, 'run'), '--quiet');
  assert.match(done('eval', config, '--weights', join(home, 'run'), '--quiet'), /top-1 error/);
  assert.equal(execFileSync('find', [cache, '-user', '65534'], { encoding: 'utf8' }), '');
});
