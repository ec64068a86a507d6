/**
 * The kernels for a GPU, held against their definitions on the CPU: the operations and the CUDA C++ are those that a GPU
 * runs, but blocks and threads are emulated. They take the place of the CPU's kernels, whose tests run once more.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { assertAgrees, networkOf, smallNet, stepOf } from '../../../training/testing/one-step.js';
import { type Kernels, kernels } from '../../kernel-table.js';
import { loadEngine } from '../../load.js';
import { type EmulatedAddon, emulateGpu } from './testing/emulated-addon.js';

await loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true });
const scratch = mkdtempSync(join(tmpdir(), 'gnbench-emulated-'));
let addon: EmulatedAddon;
try {
  addon = await emulateGpu(scratch);
} finally {
  rmSync(scratch, { recursive: true });
}

process.env.GNBENCH_TEST_EMULATED = '1';
for (const name of ['normalize', 'affine-relu', 'rectify', 'images', 'pool', 'head', 'update']) {
  await import(`../${name}.test.js`);
}

/** Large enough for two launches; a recorded step also writes results over values that nobody needs any more. */
describe('a recorded step with the kernels for a GPU', () => {
  for (const [normalizer, precision, tolerance] of [
    ['batch', 'float32', 1e-5],
    ['group', 'float32', 1e-5],
    ['layer', 'float32', 1e-5],
    ['group', 'bfloat16', 2e-2],
  ] as const) {
    it(`computes what the definitions say: ${normalizer}, ${precision}`, () => {
      const batch = 'batch: {size: 2, workers: 2}';
      const text = `model: {name: resnet20}\nnormalizer: {name: ${normalizer}}\n${batch}\nprecision: ${precision}\n`;
      const { convolution, ...own } = kernels('kernels');
      const of = (use: Kernels) =>
        stepOf(networkOf(text, 72, { model: smallNet, kernels: use }), { evaluates: true });
      assertAgrees(of(own), of({}), tolerance);
    });
  }
});

// Else the CPU's kernels have been tested twice.
after(() => assert.ok(addon.launches() > 100, `only ${addon.launches()} kernels were launched`));
