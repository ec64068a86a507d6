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
  assert.deepEqual(planThreads({ engine: {}, precision: 'float32' }, 2), { intraOp: 3, interOp: 1 });
  assert.deepEqual(planThreads({ engine: {}, precision: 'bfloat16' }, 2), { intraOp: 1, interOp: 3 });
  for (const nonsense of ['', '0', '-1', 'many', '1.5']) {
    process.env.GNBENCH_THREADS = nonsense;
    assert.equal(usableCores(), availableParallelism());
  }
});

test('threads that a configuration sets are kept, one pool or both', () => {
  assert.deepEqual(planThreads({ engine: { interOpThreads: 5 }, precision: 'float32' }, 2, 4), {
    intraOp: 4,
    interOp: 5,
  });
  assert.deepEqual(
    planThreads({ engine: { intraOpThreads: 2, interOpThreads: 2 }, precision: 'bfloat16' }, 128, 4),
    { intraOp: 2, interOp: 2 },
  );
});
