import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gpuMemory } from '../../gpu.js';
import { describeGpus } from './checks.js';
import { askDriver, type CudaDriver, type Surroundings, whyNoGpu, whyNotAllKernels } from './driver.js';
import { openedLibraries } from './layout.js';

const run = promisify(execFile);
const h100 = { name: 'NVIDIA H100 80GB HBM3', major: 9, minor: 0, memory: 80 * 2 ** 30 };
const sound: CudaDriver = {
  cuda: 13_000,
  driver: '580.159.04',
  status: 0,
  devices: [h100],
  boards: [{ memory: 80 * 2 ** 30, used: 2 ** 30, divided: 0 }],
  libraries: { 'libcudnn.so.9': { path: '/cache/nvidia/cudnn/lib/libcudnn.so.9' } },
};
const machine: Surroundings = { devices: ['nvidia0'], closed: [], container: false };

test('nothing stands in the way of a sound driver', () => {
  assert.equal(whyNoGpu(sound, machine), undefined);
});

const cases: [string, Partial<CudaDriver>, Partial<Surroundings>, RegExp, RegExp][] = [
  ['no device', { error: 'none' }, { devices: [] }, /there is no NVIDIA device/, /variant=cpu/],
  ['a container without', {}, { devices: [], container: true }, /in this container/, /--gpus all/],
  ['no permission', {}, { closed: ['/dev/nvidiactl'] }, /may not open \/dev\/nvidiactl/, /chmod a\+rw/],
  [
    'no permission for any of two',
    {},
    { devices: ['nvidia0', 'nvidia1'], closed: ['/dev/nvidia0', '/dev/nvidia1'] },
    /may not open \/dev\/nvidia0, \/dev\/nvidia1/,
    /chmod/,
  ],
  ['hidden', {}, { visible: '-1' }, /CUDA_VISIBLE_DEVICES=-1 hides/, /^unset/],
  [
    'no library',
    { error: 'libcuda.so.1: no file' },
    {},
    /library cannot be opened \(libcuda/,
    /NVIDIA driver/,
  ],
  ['a container, half', { error: 'no file' }, { container: true }, /cannot be opened/, /DRIVER_CAPABILITIES/],
  [
    'WSL',
    { error: 'no file' },
    { devices: ['dxg'] },
    /Windows lends/,
    /LD_LIBRARY_PATH=\/usr\/lib\/wsl\/lib/,
  ],
  [
    'an old driver',
    { cuda: 11_040, driver: '470.1' },
    {},
    /470\.1 serves CUDA 11\.4, and 12\.0/,
    /525\.60\.13/,
  ],
  ['no GPU', { status: 100 }, {}, /finds no GPU/, /nvidia-smi -L/],
  [
    'MIG',
    { status: 100, boards: [{ memory: 1, used: 0, divided: 1 }] },
    {},
    /divided into instances/,
    /CUDA_VISIBLE_DEVICES=MIG/,
  ],
  ['an updated driver', { status: 803 }, {}, /another version than the driver/, /restart/],
  ['no fabric', { status: 802 }, {}, /switch between the GPUs/, /fabricmanager/],
  [
    'another status',
    { status: 46, statusName: 'CUDA_ERROR_X' },
    {},
    /cuInit: 46, CUDA_ERROR_X/,
    /nvidia-smi/,
  ],
  [
    'a wrong number',
    { devices: [] },
    { visible: '7' },
    /CUDA_VISIBLE_DEVICES=7 names no GPU/,
    /nvidia-smi -L/,
  ],
  ['an old GPU', { devices: [{ ...h100, name: 'P100', major: 6 }] }, {}, /P100 has .* 6\.0.* 7\.0/, /cpu/],
  ['a missing library', { libraries: { 'libx.so': { error: 'gone' } } }, {}, /libx\.so \(gone\)/, /setup/],
];
for (const [name, driver, surroundings, message, fix] of cases) {
  test(`why no GPU can be used: ${name}`, () => {
    const mend = whyNoGpu({ ...sound, ...driver }, { ...machine, ...surroundings })!;
    assert.match(mend.message, message);
    assert.match(mend.fix, fix);
  });
}

test('one of two GPUs that is closed to this user leaves the other', () => {
  const two = { ...machine, devices: ['nvidia0', 'nvidia1'], closed: ['/dev/nvidia1'] };
  assert.equal(whyNoGpu(sound, two), undefined);
});

test("a driver older than TensorFlow's code for a new GPU is told of, and an older GPU asks for none", () => {
  const old = { ...sound, cuda: 12_020, driver: '535.183.01' };
  const { message, fix } = whyNotAllKernels(old)!;
  assert.match(message, /535\.183\.01 serves CUDA 12\.2, .* 9\.0 .* need 12\.5/);
  assert.match(fix, /555\.42/);
  assert.equal(whyNoGpu(old, machine), undefined);
  assert.equal(whyNotAllKernels(sound), undefined);
  assert.equal(whyNotAllKernels({ ...old, devices: [{ ...h100, major: 8 }] }), undefined);
  const lines = describeGpus(old, machine).filter(({ state }) => state === 'missing');
  assert.deepEqual(
    lines.map(({ name }) => name),
    ['driver'],
  );
});

test('doctor names driver, GPU, capability, memory, and each library with its place', () => {
  const lines = describeGpus(sound, machine).map(({ name, state, detail }) => `${state} ${name}: ${detail}`);
  assert.deepEqual(lines, [
    'found driver: NVIDIA 580.159.04, serves CUDA 13.0',
    'found gpu 0: NVIDIA H100 80GB HBM3, compute capability 9.0, 80.0 GiB',
    'found library: libcudnn.so.9 in /cache/nvidia/cudnn/lib/libcudnn.so.9',
  ]);
});

test('doctor tells of memory that other programs hold, and of a library that is not there', () => {
  const boards = [{ memory: 2 ** 34, used: 2 ** 33, divided: 0 }];
  const driver = { ...sound, boards, libraries: { 'libcufft.so.11': { error: 'no such file' } } };
  const bad = describeGpus(driver, machine).filter(({ state }) => state === 'missing');
  assert.deepEqual(
    bad.map(({ name }) => name),
    ['cuda', 'memory 0', 'library'],
  );
  assert.match(bad[1].detail, /8\.0 GiB of 16\.0 GiB are taken/);
  assert.ok(bad.every(({ fix }) => fix));
});

describe('the addon that asks', { skip: process.platform !== 'linux' && 'for Linux' }, () => {
  const source = (path: string) =>
    fileURLToPath(new URL(`../../../../src/engine/install/cuda/${path}`, import.meta.url));
  let folder: string;
  let addon: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gnbench-driver-'));
    addon = join(folder, 'cuda_driver.node');
    const headers = createRequire(import.meta.url).resolve('node-api-headers/package.json');
    const include = `-I${join(dirname(headers), 'include')}`;
    const flags = ['-std=c++17', '-fPIC', '-shared', '-DNAPI_VERSION=8', include];
    await run('g++', [...flags, source('driver.cc'), '-o', addon, '-ldl']);
    const driver = ['-shared', '-fPIC', source('testing/counting-driver.c')];
    await run('cc', [...driver, '-o', join(folder, 'libcuda.so.1')]);
    await run('cc', [...driver, '-o', join(folder, 'libnvidia-ml.so.1')]);
  });
  after(() => rm(folder, { recursive: true }));

  test('describes what a driver has', async () => {
    const script = fileURLToPath(new URL('./driver-child.js', import.meta.url));
    const env = { ...process.env, LD_LIBRARY_PATH: folder };
    const { stdout } = await run(process.execPath, [script, addon], { env });
    const driver = JSON.parse(stdout) as CudaDriver;
    const { cuda, status, devices } = driver;
    assert.deepEqual(
      { version: driver.driver, cuda, status },
      { version: '580.00.00', cuda: 13_000, status: 0 },
    );
    const memory = 80 * 2 ** 30;
    assert.deepEqual(devices, [{ name: 'a GPU that only counts', major: 9, minor: 0, memory }]);
    assert.deepEqual(Object.keys(driver.libraries), openedLibraries);
  });

  test('the memory that a step is planned for is the GPU’s that programs see', async () => {
    const before = process.env.LD_LIBRARY_PATH;
    process.env.LD_LIBRARY_PATH = folder;
    try {
      assert.equal(await gpuMemory({ device: 'GPU', cudaDriver: addon }), 80 * 2 ** 30);
      assert.equal(await gpuMemory({ device: 'CPU', cudaDriver: addon }), undefined);
    } finally {
      if (before === undefined) delete process.env.LD_LIBRARY_PATH;
      else process.env.LD_LIBRARY_PATH = before;
    }
  });

  test('says what cannot be opened where there is no driver', async () => {
    const driver = await askDriver(addon);
    if (driver.error === undefined) return; // a machine with a GPU
    assert.match(driver.error, /libcuda\.so\.1/);
    assert.match(driver.libraries['libcufft.so.11'].error!, /libcufft\.so\.11/);
  });
});
