import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { loadEngine, tf } from './load.js';

test('TensorFlow.js calls no function that Node warns about', async () => {
  const util = createRequire(import.meta.url)('node:util');
  // Node 20 is silent about it, Node 22 warns (DEP0051), Node 23 does not have it: here it fails.
  util.isNullOrUndefined = () => assert.fail('util.isNullOrUndefined was called');
  await loadEngine({ threads: { intraOp: 1, interOp: 1 }, quiet: true });
  const sum = tf.tensor1d([1, 2]).add(tf.tensor1d([3, 4]));
  assert.deepEqual(await sum.array(), [4, 6]);
});
