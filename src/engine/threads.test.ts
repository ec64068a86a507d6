import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { planThreads, usableCores } from './threads.js';

test('a run keeps to the share of the machine that its sweep gave it', (t) => {
  const before = process.env.GNBENCH_THREADS;
  t.after(() => {
    if (before === undefined) delete process.env.GNBENCH_THREADS;
    else process.env.GNBENCH_THREADS = before;
  });
  process.env.GNBENCH_THREADS = '3';
  assert.equal(usableCores(), 3);
  assert.ok(
    [2, 8, 32, 128].every((batch) => planThreads(batch).intraOp <= 3 && planThreads(batch).interOp <= 3),
  );
  for (const nonsense of ['', '0', '-1', 'many', '1.5']) {
    process.env.GNBENCH_THREADS = nonsense;
    assert.equal(usableCores(), availableParallelism());
  }
});
