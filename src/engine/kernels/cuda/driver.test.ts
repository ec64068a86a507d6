/** How kernels are launched, with a driver that launches nothing and says what it is asked for. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const kernels = fileURLToPath(new URL('../../../../src/engine/kernels', import.meta.url));
const source = (name: string) => join(kernels, 'cuda/testing', name);

describe('launching kernels', { skip: process.platform !== 'linux' && 'for Linux' }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'gnbench-launch-'));
    const program = [
      '-std=c++17',
      `-I${kernels}`,
      source('driver-check.cc'),
      '-o',
      join(folder, 'check'),
      '-ldl',
    ];
    execFileSync('g++', program);
    execFileSync('cc', [
      ...['-shared', '-fPIC', source('launching-driver.c')],
      ...['-o', join(folder, 'libcuda.so.1')],
    ]);
  });
  after(() => rmSync(folder, { recursive: true }));

  const said = (env: NodeJS.ProcessEnv) =>
    execFileSync(join(folder, 'check'), { env, encoding: 'utf8' }).trim().split('\n');

  it('loads each file once for a context, and gives grid, stream and argument to the driver', () => {
    assert.deepEqual(said({ LD_LIBRARY_PATH: folder }), [
      'load image',
      'find add in 2',
      'launch 3: 4 3 2 of 128 1 1, shared 0, stream 7, 42, no extra',
      'launch 3: 5 1 1 of 128 1 1, shared 0, stream 7, 42, no extra',
      'find multiply in 2',
      'launch 3: 1 1 1 of 128 1 1, shared 0, stream 7, 42, no extra',
      'the kernels of second.cu are not compiled',
      'cuModuleGetFunction: CUDA_ERROR_NOT_FOUND',
      'find broken in 2',
      'cuLaunchKernel: CUDA_ERROR_ILLEGAL_ADDRESS',
      'copy table to 16, stream 7',
      'load image',
      'find add in 2',
      'launch 3: 6 1 1 of 128 1 1, shared 0, stream 7, 42, no extra',
    ]);
  });

  it('says so where there is no driver', () => {
    const [line, ...rest] = said({});
    if (rest.length > 0) return; // a machine with a GPU
    assert.match(line, /^NVIDIA's driver cannot be opened: libcuda\.so\.1/);
  });
});
