/**
 * A step is a function of its inputs: from the same variables and images it gives the same bits, however TensorFlow
 * orders its operations. What reads a variable and what updates it need an edge between them for that.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const child = fileURLToPath(new URL('./testing/repeat-child.js', import.meta.url));
const repeats = 200;

describe('a training step, repeated from the same state', () => {
  for (const threads of [1, 2]) {
    const title = `${repeats} times with ${threads} × ${threads} threads gives one result, bit for bit`;
    it(title, async () => {
      const args = [child, ...[threads, threads, repeats].map(String)];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 1_200_000 });
      const results = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, number>;
      assert.ok(Object.keys(results).length >= 40);
      assert.deepEqual(
        Object.entries(results).filter(([, count]) => count !== 1),
        [],
      );
    });
  }
});
