import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const child = fileURLToPath(new URL('./testing/faults-child.js', import.meta.url));
// Some calls of the file system, evenly spread, each with another error: more with GNBENCH_STRESS, from 100 on every one.
const stress = Number(process.env.GNBENCH_STRESS ?? 0);
const most = stress >= 100 ? 1e6 : 25 + 2 * stress;

test('whatever the machine answers to a call of run, eval, sweep or data fetch is never a mistake of gnbench', async (t) => {
  const scratch = mkdtempSync(join(tmpdir(), 'gnbench-faults-'));
  t.after(() => rmSync(scratch, { recursive: true, force: true }));
  const { stdout } = await promisify(execFile)(process.execPath, [child, scratch, String(most)], {
    maxBuffer: 1e8,
  });
  const { counts, mistakes } = JSON.parse(stdout.trim().split('\n').at(-1)!);
  assert.deepEqual(mistakes, []);
  for (const [command, count] of Object.entries<number>(counts))
    assert.ok(count >= 10, `${command}: ${count}`);
  t.diagnostic(JSON.stringify(counts));
});
