import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNeeded, neededRoom, wheels } from './wheels.js';

test('every wheel is pinned by exact version, sha256 and size', () => {
  for (const wheel of [...wheels.cpu, ...wheels.cuda]) {
    assert.match(wheel.version, /^\d+(\.\d+)+$/);
    assert.match(wheel.sha256, /^[0-9a-f]{64}$/);
    assert.ok(wheel.size > 1e6 && wheel.unpacked > 0, wheel.name);
  }
  assert.equal(new Set([...wheels.cpu, ...wheels.cuda].map(({ sha256 }) => sha256)).size, 11);
});

test("CUDA's wheels are those of the `and-cuda` extra that one GPU opens, each with its reason", () => {
  // METADATA of tensorflow 2.21.0: Requires-Dist: …; extra == "and-cuda"
  const extra =
    'cublas cuda-cupti cuda-nvcc cuda-nvrtc cuda-runtime cudnn cufft curand cusolver cusparse nccl nvjitlink';
  const unopened = ['cuda-cupti', 'curand', 'nccl'];
  const names = wheels.cuda.slice(1).map(({ name }) => name);
  assert.deepEqual(
    names,
    extra
      .split(' ')
      .filter((name) => !unopened.includes(name))
      .map((name) => `nvidia-${name}-cu12`),
  );
  for (const { name, why } of wheels.cuda) assert.match(why, /^\w+ .* \S+$/, name);
});

test('what is taken: libraries, the headers of the core, what CUDA loads and runs', () => {
  for (const name of [
    'tensorflow/libtensorflow_cc.so.2',
    'tensorflow/libtensorflow_framework.so.2',
    'tensorflow/include/tensorflow/core/framework/op_kernel.h',
    'nvidia/cudnn/lib/libcudnn.so.9',
    'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc',
    'nvidia/cuda_nvcc/bin/ptxas',
    'tensorflow-2.21.0.dist-info/licenses/LICENSE',
  ]) {
    assert.ok(isNeeded(name), name);
  }
  for (const name of [
    'tensorflow/python/_pywrap_tfe.so',
    'tensorflow/include/external/llvm-project/llvm.h',
    'nvidia/cudnn/include/cudnn.h',
    'nvidia/cudnn/lib/libcudnn_adv.so.9',
    'nvidia/cuda_nvrtc/lib/libnvrtc-builtins.alt.so.12.9',
    'nvidia/cusolver/lib/libcusolverMg.so.11',
    'nvidia/cuda_nvcc/bin/cicc',
    'tensorflow/__init__.py',
  ]) {
    assert.ok(!isNeeded(name), name);
  }
});

test('the room that is asked for holds the unpacked members and the largest download', () => {
  const wheel = { ...wheels.cpu[0], size: 10, unpacked: 100 };
  assert.equal(neededRoom([wheel, { ...wheel, size: 30 }]), 230);
});
