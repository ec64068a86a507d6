import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { availableMemory, memoryLimit } from './memory.js';

const scratch = mkdtempSync(join(tmpdir(), 'gnbench-memory-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;

/** A machine of 64 GiB, 50 of them free, with these files under its root. */
function machine(files: Record<string, string | number>, environment: NodeJS.ProcessEnv = {}) {
  const root = join(scratch, String(count++));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), `${content}\n`);
  }
  return { root, environment, physical: 64 * gibibyte, free: 50 * gibibyte };
}
const gibibyte = 2 ** 30;

test('without any limit it is the machine’s', () => {
  assert.equal(memoryLimit(machine({})), 64 * gibibyte);
  assert.equal(availableMemory(machine({})), 50 * gibibyte);
  assert.ok(memoryLimit() > 0 && memoryLimit() <= totalmem());
  assert.ok(availableMemory() > 0 && availableMemory() <= totalmem());
});

test('control groups of version 2 limit it, those further up, too', () => {
  const group = 'sys/fs/cgroup/system.slice/docker-1.scope';
  const files = {
    'proc/self/cgroup': '0::/system.slice/docker-1.scope',
    'sys/fs/cgroup/system.slice/memory.max': 16 * gibibyte,
    [`${group}/memory.max`]: 'max',
    [`${group}/memory.high`]: 'max',
  };
  assert.equal(memoryLimit(machine(files)), 16 * gibibyte);
  const limited = {
    ...files,
    [`${group}/memory.max`]: 8 * gibibyte,
    [`${group}/memory.current`]: 7 * gibibyte,
    [`${group}/memory.stat`]: `anon 1\ninactive_file ${3 * gibibyte}\nactive_file 5`,
  };
  assert.equal(memoryLimit(machine(limited)), 8 * gibibyte);
  assert.equal(availableMemory(machine(limited)), 4 * gibibyte, 'cached files can be dropped');
  assert.equal(memoryLimit(machine({ ...limited, [`${group}/memory.high`]: 6 * gibibyte })), 6 * gibibyte);
});

test('a container that sees its own group as the top finds its limit there', () => {
  const files = {
    'proc/self/cgroup': '0::/kubepods/pod1/container',
    'sys/fs/cgroup/memory.max': 4 * gibibyte,
  };
  assert.equal(memoryLimit(machine(files)), 4 * gibibyte);
  assert.equal(
    memoryLimit(machine({ ...files, 'proc/self/cgroup': '0::/../../pod1' })),
    4 * gibibyte,
    'a path outside the namespace',
  );
});

test('control groups of version 1 limit it', () => {
  const group = 'sys/fs/cgroup/memory/slurm/uid_1/job_2';
  const files = {
    'proc/self/cgroup': '5:cpu,cpuacct:/a\n4:memory:/slurm/uid_1/job_2\n0::/',
    [`${group}/memory.limit_in_bytes`]: 2 * gibibyte,
    [`${group}/memory.usage_in_bytes`]: gibibyte,
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
    'sys/fs/cgroup/cpu/a/memory.limit_in_bytes': 1,
  };
  assert.equal(memoryLimit(machine(files)), 2 * gibibyte);
  assert.equal(availableMemory(machine(files)), gibibyte);
});

test('a Slurm allocation limits it, enforced or not', () => {
  const of = (environment: NodeJS.ProcessEnv) => memoryLimit(machine({}, environment));
  assert.equal(of({ SLURM_MEM_PER_NODE: '8192' }), 8 * gibibyte);
  assert.equal(of({ SLURM_MEM_PER_CPU: '2048', SLURM_CPUS_ON_NODE: '6' }), 12 * gibibyte);
  assert.equal(of({ SLURM_MEM_PER_GPU: '4096', SLURM_GPUS_ON_NODE: '2' }), 8 * gibibyte);
  assert.equal(of({ SLURM_MEM_PER_NODE: '0' }), 64 * gibibyte, 'all of the node');
});
