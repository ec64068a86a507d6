import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Summary } from '../runs/summary.js';
import { type ChildExit, judge, memoryKills } from './outcome.js';

const whole = { done: 1, total: 2 };
const nothing = { final: null };
const summary: Summary = {
  version: 1,
  status: 'running',
  id: 'x',
  name: 'x',
  seed: 1,
  parameters: 1,
  epochs: whole,
  steps: { done: 40, total: 100 },
  learningRate: 1,
  batch: { size: 2, workers: 1 },
  valError: { final: null, medianLast5: null, best: null },
  trainError: nothing,
  trainLoss: nothing,
  imagesPerSecond: null,
  secondsTotal: 1,
  dataWaitShare: null,
  dataset: { name: 'cifar10', official: true },
};

test('a run’s end is told from its exit code, its signal, its summary and its log', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-outcome-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const judged = (ending: Partial<ChildExit>, left: Partial<Summary> | string = {}, log = '') => {
    const run = join(folder, 'run');
    rmSync(run, { recursive: true, force: true });
    mkdirSync(run);
    writeFileSync(`${run}.log`, log);
    const text = typeof left === 'string' ? left : JSON.stringify({ ...summary, ...left });
    writeFileSync(join(run, 'summary.json'), text);
    const { kind, step, message } = judge(run, {
      startedAt: '2026-01-02T00:00:00.000Z',
      exitCode: null,
      signal: null,
      log: `${run}.log`,
      memoryKill: false,
      ...ending,
    });
    return [kind, step, message];
  };
  assert.deepEqual(judged({ exitCode: 0 }, { status: 'completed' }), ['completed', 40, undefined]);
  assert.deepEqual(judged({ exitCode: 0 }), ['crashed', 40, 'ended without a completed summary']);
  assert.deepEqual(judged({ exitCode: 0 }, '{"torn'), [
    'crashed',
    undefined,
    'ended without a completed summary',
  ]);
  for (const exitCode of [130, 143, 75]) assert.equal(judged({ exitCode })[0], 'interrupted');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR2', 'SIGHUP'] as const) {
    assert.equal(judged({ signal })[0], 'interrupted', 'told to stop before it listened');
  }
  assert.deepEqual(judged({ exitCode: 1 }, { status: 'diverged', divergedAtStep: 33 }).slice(0, 2), [
    'diverged',
    33,
  ]);
  assert.deepEqual(judged({ exitCode: 2 }, {}, 'note\nerror: data.name: no such data\n  get it\n'), [
    'refused',
    40,
    'data.name: no such data',
  ]);
  assert.deepEqual(judged({ signal: 'SIGKILL', step: 57 }), ['killed', 57, 'killed from outside']);
  assert.deepEqual(judged({ signal: 'SIGKILL', memoryKill: true }).slice(0, 2), ['out of memory', 40]);
  assert.equal(
    judged({ signal: 'SIGABRT' }, {}, 'FATAL ERROR: … JavaScript heap out of memory')[0],
    'out of memory',
  );
  assert.equal(
    judged({ exitCode: 1 }, {}, 'error: OOM when allocating tensor with shape[2]')[0],
    'out of memory',
  );
  assert.deepEqual(judged({ exitCode: 1 }, {}, 'error: could not save: no space left (ENOSPC)\n'), [
    'disk full',
    40,
    'could not save: no space left (ENOSPC)',
  ]);
  const before =
    '--- 2026-01-01 gn-1 seed 1\nerror: could not save: no space left (ENOSPC)\n--- 2026-01-02 gn-1 seed 1\n';
  assert.deepEqual(
    judged({ signal: 'SIGSEGV' }, {}, before),
    ['crashed', 40, 'ended with SIGSEGV'],
    'an earlier attempt’s error is not this one’s',
  );
  assert.deepEqual(judged({ signal: 'SIGSEGV' }), ['crashed', 40, 'ended with SIGSEGV']);
  const failure = { kind: 'x', message: 'the engine gave up', step: 44 };
  const [now, earlier] = ['2026-01-02T00:00:09.000Z', '2026-01-01T00:00:00.000Z'];
  assert.deepEqual(judged({ exitCode: 1 }, { failure, finishedAt: now }), [
    'crashed',
    44,
    'the engine gave up',
  ]);
  const full = { failure: { kind: 'x', message: 'no space left (ENOSPC)', step: 44 }, finishedAt: earlier };
  assert.deepEqual(
    judged({ exitCode: 1 }, full, 'error: the engine cannot be loaded\n'),
    ['crashed', 40, 'the engine cannot be loaded'],
    'an earlier attempt’s failure is not this one’s',
  );
});

test('counts what the kernel ended for want of memory', () => {
  assert.ok(Number.isSafeInteger(memoryKills()) && memoryKills() >= 0);
});
