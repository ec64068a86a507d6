/** The npm package: complete, usable where it may only be read, and installed from the registry alone. */
import assert from 'node:assert/strict';
import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cacheFolder } from '../cache.js';
import { version } from '../version.js';

const root = join(import.meta.dirname, '../..');
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

test('no dependency of the package has an install script, or comes from elsewhere than the registry', () => {
  const { packages } = readJson(join(root, 'package-lock.json'));
  const shipped = Object.entries<{
    dev?: boolean;
    hasInstallScript?: boolean;
    version?: string;
    link?: boolean;
  }>(packages).filter(([path, { dev }]) => path !== '' && !dev);
  assert.ok(shipped.length > 50);
  const wrong = shipped.filter(
    ([, { hasInstallScript, link, version }]) =>
      hasInstallScript || link || !/^\d+\.\d+\.\d+/.test(version ?? ''),
  );
  assert.deepEqual(
    wrong.map(([path]) => path),
    [],
  );
});

/** The tracked files, with this clone's packages beside them: what `npm pack` sees in a fresh clone. */
function freshClone(folder: string): string {
  const clone = join(folder, 'clone');
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0');
  for (const path of files.filter((name) => name && !name.startsWith('results/'))) {
    if (existsSync(join(root, path))) cpSync(join(root, path), join(clone, path));
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  return clone;
}

function succeed(result: SpawnSyncReturns<string>): SpawnSyncReturns<string> {
  assert.equal(result.status, 0, `${result.error ?? ''}${result.stdout}${result.stderr}`);
  return result;
}

/** The packages below `folder` with a script that npm runs when it installs them. */
function withInstallScript(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path))
    .filter((path) => {
      const { scripts = {} } = readJson(join(folder, path));
      return scripts.preinstall || scripts.install || scripts.postinstall;
    });
}

/** The user "nobody", whom every Linux has. */
const nobody = 65534;
const skip = !process.env.GNBENCH_TEST_PACKAGE
  ? 'it installs packages from the npm registry: GNBENCH_TEST_PACKAGE=1'
  : process.getuid?.() !== 0
    ? 'only root may run a program as another user'
    : false;

test('packed in a fresh clone and installed by root, it serves another user in another folder', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-package-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const clone = freshClone(folder);
  const npm = (cwd: string, ...args: string[]) => succeed(spawnSync('npm', args, { cwd, encoding: 'utf8' }));

  const dryRun = npm(clone, 'publish', '--dry-run', '--access', 'public');
  assert.doesNotMatch(dryRun.stderr, /npm warn publish (?!This command requires you to be logged in)/);
  npm(clone, 'pack');
  const tarball = join(clone, `gnbench-${version}.tgz`);
  const engine = join(cacheFolder(), 'engine');
  const hasEngine = existsSync(engine);
  // The kernels of these very sources, so that each user below finds them in his copy of the cache.
  const setUp = ['bin/gnbench.js', 'setup', '--quiet'];
  if (hasEngine) succeed(spawnSync(process.execPath, setUp, { cwd: clone, encoding: 'utf8' }));

  for (const scripts of ['--ignore-scripts=false', '--ignore-scripts']) {
    const prefix = join(folder, scripts === '--ignore-scripts' ? 'without-scripts' : 'with-scripts');
    npm(folder, 'install', '--global', '--prefix', prefix, scripts, '--no-audit', '--no-fund', tarball);
    assert.deepEqual(withInstallScript(prefix), []);
    execFileSync('chmod', ['-R', 'a-w,a+rX', prefix]);

    const home = join(folder, `home${scripts}`);
    mkdirSync(home);
    const cache = join(home, 'cache');
    const engine = join(cacheFolder(), 'engine');
    if (existsSync(engine))
      cpSync(engine, join(cache, 'engine'), { recursive: true, preserveTimestamps: true });
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, home]);
    const gnbench = (...args: string[]) =>
      succeed(
        spawnSync(join(prefix, 'bin', 'gnbench'), args, {
          cwd: home,
          uid: nobody,
          gid: nobody,
          encoding: 'utf8',
          env: { PATH: process.env.PATH, HOME: home, GNBENCH_CACHE: cache },
        }),
      ).stdout;
    assert.equal(gnbench('--version').trim(), version);
    const config = join(prefix, 'lib', 'node_modules', 'gnbench', 'configs', 'quickstart.yaml');
    assert.match(gnbench('config', 'validate', config), /valid/);
    assert.match(gnbench('doctor'), /gnbench run can work here/);
    if (!hasEngine) continue;
    const short = ['--set', 'epochs=1', '--set', 'data.trainSubset=64', '--set', 'data.valSubset=64'];
    gnbench('run', config, ...short, '--out', 'out', '--quiet');
    assert.equal(
      readFileSync(join(home, 'out', 'curves.csv'), 'utf8')
        .trim()
        .split('\n').length,
      2,
    );
  }
});
