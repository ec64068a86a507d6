import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { UserError } from '../errors.js';
import { acceptCpu, gpuError, prepareGpu, refuseOnCpu, refuseUncompiled } from './gpu.js';
import type { Engine } from './install/index.js';

const names = ['NVIDIA_TF32_OVERRIDE', 'TF_FORCE_GPU_ALLOW_GROWTH', 'XLA_FLAGS'];
const saved = names.map((name) => [name, process.env[name]] as const);
afterEach(() => {
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

test('float32 is float32 and tf32 is not, whatever the environment says', () => {
  process.env.NVIDIA_TF32_OVERRIDE = '1';
  prepareGpu({ precision: 'float32' });
  assert.equal(process.env.NVIDIA_TF32_OVERRIDE, '0');
  prepareGpu({ precision: 'tf32' });
  assert.equal(process.env.NVIDIA_TF32_OVERRIDE, undefined);
  prepareGpu({});
  assert.equal(process.env.NVIDIA_TF32_OVERRIDE, '0');
});

test("deterministic kernels are XLA's choice, beside the flags that are there", () => {
  process.env.XLA_FLAGS = '--xla_dump_to=/tmp/x';
  prepareGpu({ deterministic: true });
  assert.equal(process.env.XLA_FLAGS, '--xla_dump_to=/tmp/x --xla_gpu_exclude_nondeterministic_ops=true');
});

test("another program's share of the memory is left to it, unless the environment says otherwise", () => {
  delete process.env.TF_FORCE_GPU_ALLOW_GROWTH;
  prepareGpu({});
  assert.equal(process.env.TF_FORCE_GPU_ALLOW_GROWTH, 'true');
  process.env.TF_FORCE_GPU_ALLOW_GROWTH = 'false';
  prepareGpu({});
  assert.equal(process.env.TF_FORCE_GPU_ALLOW_GROWTH, 'false');
});

test('what only a GPU can do is refused on a CPU, and on a GPU what is not the same twice', () => {
  assert.throws(() => refuseOnCpu({ precision: 'tf32' }), /tf32 is arithmetic of a GPU/);
  refuseOnCpu({ precision: 'float32' });
  assert.throws(() => refuseUncompiled({ deterministic: true }), /only where XLA compiles/);
  refuseUncompiled({});
});

const engine = { variant: 'cuda' } as Engine;

test('a run that asks for CUDA by name does not fall back to the CPU', async () => {
  await assert.rejects(acceptCpu(engine, 'cuda'), (error: UserError) => {
    assert.match(error.message, /no GPU can be used/);
    return error.exitCode === 1 && error.fix !== undefined;
  });
});

test('one that leaves the choice does, with a line that says why', async () => {
  assert.match(await acceptCpu(engine, 'auto'), /computes on the CPU: TensorFlow registers no GPU\n {2}-> /);
});

test('a step that the GPU has no memory for is an error with its mend; others stay as they are', () => {
  for (const message of [
    'Session fail to run with error: OOM when allocating tensor with shape[256,112,112,64]',
    'RESOURCE_EXHAUSTED: Out of memory while trying to allocate 12345 bytes',
    'GnbenchSgd update/0: cuModuleLoadData: CUDA_ERROR_OUT_OF_MEMORY',
  ]) {
    const error = gpuError(new Error(message));
    assert.ok(error instanceof UserError);
    assert.match(error.fix!, /batch\.microSteps/);
  }
  const old = gpuError(
    new Error('CUDA_ERROR_UNSUPPORTED_PTX_VERSION: compiled with an unsupported toolchain'),
  );
  assert.match((old as UserError).fix!, /NVIDIA driver 555/);
  const other = new Error('Incompatible shapes');
  assert.equal(gpuError(other), other);
});
