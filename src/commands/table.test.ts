import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { table } from './table.js';

test('--out is where it says, also when that is an absolute path into a new folder', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-table-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const out = join(folder, 'new', 'table.md');
  assert.equal(await table('experiments/table2-batch-size-small.yaml', { out }), 0);
  assert.match(readFileSync(out, 'utf8'), /^### /);
});
