import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultJobs, resourceSlice, thisMachine } from './share.js';

const noRun = { folder: '/nowhere', config: '/nowhere/config.yaml' };

test('a run a core, with one thread each', () => {
  const machine = { cores: 2, devices: [] };
  assert.equal(defaultJobs(machine), 2);
  const many = { cores: 64, devices: [] };
  assert.equal(defaultJobs(many, 3), 3, 'three runs share all cores');
  assert.equal(resourceSlice(many, 3, 0, noRun).env.GNBENCH_THREADS, '21');
  assert.equal(defaultJobs(many, 0), 1);
  const { env, overrides } = resourceSlice(machine, 2, 1, noRun);
  assert.deepEqual(overrides, ['engine.intraOpThreads=1', 'engine.interOpThreads=1']);
  assert.equal(env.GNBENCH_THREADS, '1');
  assert.equal(Number(env.GNBENCH_MEMORY_SHARE), 0.5);
  assert.equal(resourceSlice(machine, 1, 0, noRun).env.GNBENCH_MEMORY_SHARE, undefined, 'all of it');
  const two = { cores: 8, devices: ['0', '1'] };
  assert.equal(resourceSlice(two, 2, 1, noRun).env.GNBENCH_MEMORY_SHARE, undefined, 'a device each');
  assert.equal(Number(resourceSlice(two, 4, 3, noRun).env.GNBENCH_MEMORY_SHARE), 0.5);
  assert.equal(resourceSlice({ cores: 8, devices: [] }, 2, 0, noRun).env.GNBENCH_THREADS, '4');
  assert.equal(resourceSlice({ cores: 2, devices: [] }, 4, 3, noRun).env.GNBENCH_THREADS, '1', 'never none');
});

test('threads and the kind of convolutions are kept for a run’s life', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-share-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, 'config.yaml'),
    'engine: { variant: auto, intraOpThreads: 1, interOpThreads: 2 }\n',
  );
  const { overrides } = resourceSlice({ cores: 16, devices: [] }, 1, 0, { ...noRun, folder });
  assert.deepEqual(overrides, [
    'engine.intraOpThreads=1',
    'engine.interOpThreads=2',
    'engine.convolutions=direct',
  ]);
});

test('threads that the cell asks for go before the planned ones, and those it was begun with before both', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-share-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'cell.yaml');
  writeFileSync(config, 'engine: { intraOpThreads: 2 }\n');
  const share = () => resourceSlice({ cores: 2, devices: [] }, 2, 0, { folder, config }).overrides;
  assert.deepEqual(share(), ['engine.intraOpThreads=2', 'engine.interOpThreads=1']);
  writeFileSync(join(folder, 'config.yaml'), 'engine: { intraOpThreads: 4, interOpThreads: 3 }\n');
  assert.deepEqual(share(), [
    'engine.intraOpThreads=4',
    'engine.interOpThreads=3',
    'engine.convolutions=direct',
  ]);
});

test('one run a device; more when asked, with memory that grows', () => {
  const machine = { cores: 8, devices: ['0', '1'] };
  assert.equal(defaultJobs(machine), 2);
  const seen = [0, 1].map((slot) => resourceSlice(machine, 2, slot, noRun).env);
  assert.deepEqual(
    seen.map((env) => env.CUDA_VISIBLE_DEVICES),
    ['0', '1'],
  );
  assert.ok(seen.every((env) => !('TF_FORCE_GPU_ALLOW_GROWTH' in env)));
  const crowded = [0, 1, 2, 3].map((slot) => resourceSlice(machine, 4, slot, noRun).env);
  assert.deepEqual(
    crowded.map((env) => env.CUDA_VISIBLE_DEVICES),
    ['0', '1', '0', '1'],
  );
  assert.ok(crowded.every((env) => env.TF_FORCE_GPU_ALLOW_GROWTH === 'true'));
});

test('a job of a cluster has the cores and devices that it was given', (t) => {
  const before = { ...process.env };
  t.after(() => {
    for (const key of ['SLURM_CPUS_PER_TASK', 'CUDA_VISIBLE_DEVICES']) {
      if (before[key] === undefined) delete process.env[key];
      else process.env[key] = before[key];
    }
  });
  process.env.SLURM_CPUS_PER_TASK = '3';
  process.env.CUDA_VISIBLE_DEVICES = '2,5';
  assert.deepEqual(thisMachine(), { cores: 3, devices: ['2', '5'] });
  for (const [list, devices] of [
    ['-1', []],
    ['', []],
    ['none', []],
    ['NoDevFiles', []],
    ['0, 2,-1,1', ['0', '2']],
    ['MIG-1a2b, GPU-3c', ['MIG-1a2b', 'GPU-3c']],
  ] as const) {
    process.env.CUDA_VISIBLE_DEVICES = list;
    assert.deepEqual(thisMachine().devices, devices, list);
  }
  delete process.env.CUDA_VISIBLE_DEVICES;
  const only = (...nodes: string[]) => thisMachine(() => nodes).devices;
  assert.deepEqual(only('nvidia3', 'nvidia5'), ['0', '1'], 'those that a container was given');
  assert.deepEqual(only('dxg'), ['0'], 'the one that Windows lends');
  assert.deepEqual(only(), []);
});
