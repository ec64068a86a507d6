import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('./testing/threads-child.js', import.meta.url));

function digest(threads: number): string {
  const run = spawnSync(process.execPath, [child, String(threads)], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stdout, /^[0-9a-f]{64}\n$/);
  return run.stdout;
}

describe('kernels on several threads', () => {
  it('give the same bits on 1, 2 and 3, and every time', () => {
    const alone = digest(1);
    assert.equal(digest(2), alone);
    assert.equal(digest(3), alone);
    assert.equal(digest(2), alone);
  });
});
