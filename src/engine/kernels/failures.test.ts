/** A failure on a thread of the pool ends the operation, not the process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compileCheck } from './testing/compile-check.js';

const hasLimits = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;

it('a kernel that wants more memory than there is ends as an error', {
  skip: !hasLimits && 'there is no prlimit to limit memory with',
}, () => {
  const child = fileURLToPath(new URL('./testing/memory-child.js', import.meta.url));
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, [child], { encoding: 'utf8' });
  assert.equal(status, 0, `${signal} ${stdout} ${stderr}`);
  assert.match(stdout, /GnbenchNormalize.* needs more working memory than there is/);
  assert.match(stdout, /a smaller one works again/);
});

it('tasks run once each, wait asleep, and hand on what they throw', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'gnbench-tasks-'));
  try {
    const program = await compileCheck('tasks-check.cc', ['-std=c++17', '-O1', '-pthread'], scratch);
    const { status, stdout, signal } = spawnSync(program, { encoding: 'utf8' });
    assert.equal(status, 0, signal ?? stdout);
  } finally {
    rmSync(scratch, { recursive: true });
  }
});
