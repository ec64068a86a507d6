import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeEngine } from './probe.js';

const threads = { intraOp: 1, interOp: 1 };

test('the engine loads, computes and says what it is', async () => {
  const probe = await probeEngine({ variant: 'cpu', threads });
  assert.equal(probe.variant, 'cpu');
  assert.equal(probe.device, 'CPU');
  assert.match(probe.tensorflow, /^2\.\d+\.\d+$/);
});

test('an engine that takes too long is one, whatever ended it', async () => {
  await assert.rejects(probeEngine({ variant: 'cpu', threads }, 20), /longer than 0\.02 s/);
});

test('the kernels tell what they were compiled for, and can be asked for less', async () => {
  const saved = process.env.GNBENCH_ISA;
  try {
    process.env.GNBENCH_ISA = 'generic';
    assert.equal((await probeEngine({ variant: 'cpu', threads })).instructionSet, 'generic');
  } finally {
    if (saved === undefined) delete process.env.GNBENCH_ISA;
    else process.env.GNBENCH_ISA = saved;
  }
});

test('an engine that cannot be loaded is an error with its last words', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gnbench-probe-'));
  const saved = process.env.GNBENCH_CACHE;
  process.env.GNBENCH_CACHE = join(folder, 'file', 'cache');
  await writeFile(join(folder, 'file'), '');
  try {
    await assert.rejects(probeEngine({ variant: 'cpu', threads }), /cannot be written/);
  } finally {
    if (saved === undefined) delete process.env.GNBENCH_CACHE;
    else process.env.GNBENCH_CACHE = saved;
    await rm(folder, { recursive: true });
  }
});
