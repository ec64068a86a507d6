import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installLibrary } from '../library.js';
import { defaultSource } from '../platform.js';
import { engineFolder } from '../store.js';
import { isNeeded, tensorflowVersion, wheels } from '../wheels.js';
import { linkLibraries, missingLinks, openedLibraries, searchedFolders } from './layout.js';

const run = promisify(execFile);
const source = (path: string) =>
  fileURLToPath(new URL(`../../../../src/engine/install/cuda/${path}`, import.meta.url));
/** The libraries in the pinned wheels. */
const members: Record<string, string[]> = JSON.parse(
  await readFile(source('fixtures/wheel-libraries.json'), 'utf8'),
);

test('the list of members is that of the pinned wheels', () => {
  const pinned = wheels.cuda.slice(1).map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(Object.keys(members), pinned);
});

/** A folder with an empty library under the name of each that is taken from the wheels. */
async function emptyLibraries(folder: string): Promise<void> {
  for (const member of Object.values(members).flat().filter(isNeeded)) {
    const path = join(folder, member);
    if (existsSync(path)) continue;
    await mkdir(dirname(path), { recursive: true });
    await run('cc', ['-shared', '-x', 'c', '/dev/null', `-Wl,-soname,${basename(path)}`, '-o', path]);
  }
}

const skip = defaultSource() === 'wheel' ? false : 'the wheel is for Linux with glibc on x64';

describe("CUDA's libraries as they are laid out", { skip }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gnbench-cuda-'));
    await emptyLibraries(folder);
  });
  after(() => rm(folder, { recursive: true }));

  test('are each in a folder that TensorFlow searches', async () => {
    const searched = (name: string) =>
      searchedFolders.some((within) => existsSync(join(folder, 'nvidia', within, 'lib', name)));
    assert.deepEqual(
      openedLibraries.filter((name) => !searched(name)),
      ['libcusolver.so.11'],
    );
    assert.deepEqual(await missingLinks(folder), ['nvidia/cufft/lib/libcusolver.so.11']);
    await linkLibraries(folder);
    assert.deepEqual(await missingLinks(folder), []);
    assert.deepEqual(
      openedLibraries.filter((name) => !searched(name)),
      [],
    );
  });
});

const engine = join(engineFolder(), `tensorflow-${tensorflowVersion}-cuda-linux-x64`);
const fetches = process.env.GNBENCH_CUDA_WHEEL !== undefined;
const unavailable =
  !fetches &&
  !existsSync(engine) &&
  'needs the wheel of 572 MB: GNBENCH_CUDA_WHEEL=1 fetches it for this test';

describe('TensorFlow with a driver that only counts', { skip: skip || unavailable }, () => {
  let folder: string;
  const cache = process.env.GNBENCH_CACHE;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gnbench-cuda-'));
    const library = existsSync(engine) ? engine : await fetched(join(folder, 'cache'));
    await mkdir(join(folder, 'tensorflow'));
    for (const name of ['cc', 'framework'].map((part) => `tensorflow/libtensorflow_${part}.so.2`)) {
      await symlink(join(library, name), join(folder, name));
    }
    await mkdir(join(folder, 'nvidia/cuda_runtime/lib'), { recursive: true });
    const runtime = 'nvidia/cuda_runtime/lib/libcudart.so.12'; // counts the devices, so not an empty one
    await symlink(join(library, runtime), join(folder, runtime));
    await emptyLibraries(folder);
    const driver = ['-shared', '-fPIC', source('testing/counting-driver.c')];
    await run('cc', [...driver, '-o', join(folder, 'libcuda.so.1')]);
    await run('cc', [...driver, '-o', join(folder, 'libnvidia-ml.so.1')]);
    await run('cc', [source('testing/list-devices.c'), '-o', join(folder, 'list-devices'), '-ldl']);
  });
  after(async () => {
    if (cache === undefined) delete process.env.GNBENCH_CACHE;
    else process.env.GNBENCH_CACHE = cache;
    await rm(folder, { recursive: true });
  });

  /** TensorFlow and CUDA's runtime, as `setup` unpacks them. */
  async function fetched(at: string): Promise<string> {
    process.env.GNBENCH_CACHE = at;
    const needed = wheels.cuda.filter(({ name }) => /^(tensorflow|nvidia-cuda-runtime-cu12)$/.test(name));
    await installLibrary(needed, 'trial', { quiet: true, signal: new AbortController().signal });
    return join(at, 'engine/trial');
  }

  /** Its log while it looks for GPUs. It ends in an error: nothing can be computed on this one. */
  async function log(): Promise<string> {
    const env = { LD_LIBRARY_PATH: folder, TF_CPP_MAX_VLOG_LEVEL: '1' };
    const library = join(folder, 'tensorflow/libtensorflow_cc.so.2');
    const options = { env, maxBuffer: 2 ** 28 };
    const { stderr } = await run(join(folder, 'list-devices'), [library], options).catch((error) => error);
    return stderr;
  }

  test('finds every library that it wants, and registers the GPU', async () => {
    await linkLibraries(folder);
    const said = await log();
    assert.doesNotMatch(said, /Could not load dynamic library/);
    assert.match(said, /Adding visible gpu devices: 0/);
  });

  test('registers none without the link to cuSOLVER', async () => {
    await linkLibraries(folder);
    await unlink(join(folder, 'nvidia/cufft/lib/libcusolver.so.11'));
    const said = await log();
    assert.match(said, /Could not load dynamic library 'libcusolver\.so\.11'/);
    assert.doesNotMatch(said, /Adding visible gpu devices/);
  });
});
