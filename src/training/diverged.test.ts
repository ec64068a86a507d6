import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readSummary } from '../runs/summary.js';

const scratch = mkdtempSync(join(tmpdir(), 'gnbench-diverged-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const gnbench = fileURLToPath(new URL('../../bin/gnbench.js', import.meta.url));

const ownTask = fileURLToPath(new URL('../../docs/examples/shape-and-spots.mjs', import.meta.url));

// The evaluation of the second has no loss that could tell: its weights do.
for (const [what, line] of [
  ['classification', ''],
  ['a task whose evaluation has no loss', `task: { module: ${ownTask} }`],
]) {
  test(`a run of one step, whose only update ruins the weights, is diverged and not completed: ${what}`, async () => {
    const folder = mkdtempSync(join(scratch, 'run-'));
    const config = join(scratch, 'a.yaml');
    const lines = [
      'model: resnet20',
      'normalizer: none',
      'data: { name: synthetic, trainSubset: 8, valSubset: 8 }',
      'batch: { size: 8 }',
      'learningRate: { base: 1000, per: 1.0e-36 }',
      'epochs: 1',
      line,
    ];
    writeFileSync(config, lines.join('\n'));
    const exitCode = await new Promise((resolve) => {
      const args = [gnbench, 'run', config, '--out', folder, '--quiet'];
      execFile(process.execPath, args, (error) => resolve(error ? error.code : 0));
    });
    assert.equal(exitCode, 1);
    const { status, divergedAtStep, epochs } = readSummary(join(folder, 'summary.json'));
    assert.deepEqual([status, divergedAtStep, epochs.done], ['diverged', 1, 1]);
  });
}
