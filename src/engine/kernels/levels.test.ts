import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The tests beside this one run on the best instruction set of this processor; here on the lesser ones. */
describe('kernels for other processors', () => {
  for (const level of ['generic', 'avx2', 'avx512', 'avx512_bf16']) {
    it(`pass their tests as ${level}`, { skip: process.arch !== 'x64' }, () => {
      const tests = ['normalize', 'affine-relu', 'update', 'conv', 'images', 'head', 'rectify'];
      const files = tests.map((name) => fileURLToPath(new URL(`./${name}.test.js`, import.meta.url)));
      const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
      const run = spawnSync(process.execPath, ['--test', ...files], {
        env: { ...environment, GNBENCH_ISA: level },
        encoding: 'utf8',
      });
      assert.equal(run.status, 0, run.stdout);
    });
  }
});
