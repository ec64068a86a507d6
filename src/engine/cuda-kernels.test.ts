import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { architectureFor, compiled, type KernelCompiler } from './cuda-kernels.js';

let cache: string;
const former = process.env.GNBENCH_CACHE;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'gnbench-kernels-'));
  process.env.GNBENCH_CACHE = cache;
});
afterEach(() => {
  if (former === undefined) delete process.env.GNBENCH_CACHE;
  else process.env.GNBENCH_CACHE = former;
  chmodSync(cache, 0o755);
  rmSync(cache, { recursive: true });
});

/** A compiler that counts, and whose code names what it was made of. */
function counting(version = '12.9') {
  const calls: string[] = [];
  const compiler: KernelCompiler = {
    describe: () => ({ version, architectures: [70, 80, 90, 120] }),
    compile(_, name, source, headerNames, headers, architecture) {
      calls.push(name);
      return Buffer.from([version, name, source, ...headerNames, ...headers, architecture].join('|'));
    },
  };
  return { calls, compiler };
}
const source = { name: 'add', text: 'source', headers: { 'add.h': 'header' } };

test('a kernel is compiled once for each source, architecture and version of NVRTC', async () => {
  const { calls, compiler } = counting();
  const first = Buffer.from(await compiled(source, 'sm_90', 'lib', compiler)).toString();
  assert.equal(first, '12.9|add.cu|source|add.h|header|sm_90');
  assert.equal(Buffer.from(await compiled(source, 'sm_90', 'lib', compiler)).toString(), first);
  assert.equal(calls.length, 1);
  await compiled(source, 'sm_80', 'lib', compiler);
  await compiled({ ...source, text: 'other' }, 'sm_90', 'lib', compiler);
  await compiled({ ...source, headers: { 'add.h': 'other' } }, 'sm_90', 'lib', compiler);
  assert.equal(calls.length, 4);
  const newer = counting('13.0');
  await compiled(source, 'sm_90', 'lib', newer.compiler);
  assert.equal(newer.calls.length, 1);
  assert.equal(readdirSync(join(cache, 'cuda-kernels')).length, 5);
});

test('a cache that cannot be written to costs time and nothing else', async () => {
  process.env.GNBENCH_CACHE = '/proc/gnbench';
  const { calls, compiler } = counting();
  for (let i = 0; i < 2; i++) await compiled(source, 'sm_90', 'lib', compiler);
  assert.equal(calls.length, 2);
});

test('a GPU that NVRTC does not know gets code that its driver finishes', () => {
  assert.equal(architectureFor(90, [70, 90, 120]), 'sm_90');
  assert.equal(architectureFor(100, [70, 90, 120]), 'compute_90');
  assert.equal(architectureFor(130, [70, 90, 120]), 'compute_120');
});
