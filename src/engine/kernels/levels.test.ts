import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const { NODE_TEST_CONTEXT: _, GNBENCH_ISA: __, ...environment } = process.env;
const childPath = fileURLToPath(new URL('./testing/level-child.js', import.meta.url));
const tests = [
  'normalize',
  'affine-relu',
  'update',
  'conv',
  'images',
  'head',
  'rectify',
  'pool',
  'denormals',
  'detection',
  'detection-box-definitions',
];
const files = tests.map((name) => fileURLToPath(new URL(`./${name}.test.js`, import.meta.url)));

function run(args: string[], level?: string) {
  const env = level === undefined ? environment : { ...environment, GNBENCH_ISA: level };
  return spawnSync(process.execPath, args, { env, encoding: 'utf8' });
}

/** The instruction sets that the kernels say they compute with, in float32 and in bfloat16, when `level` is asked for. */
function loadedLevels(level?: string): { float32: string; bfloat16: string } {
  const { status, stdout, stderr } = run([childPath], level);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** Skips the test where the processor lacks `level`: a level that it lacks must be refused, not replaced by another. */
function isRefused(context: TestContext, level: string): boolean {
  const { status, stderr } = run([childPath], level);
  if (status === 0) return false;
  assert.match(
    stderr,
    new RegExp(`GNBENCH_ISA is ${level}, which this processor does not have: it has generic`),
  );
  context.skip(`this processor has no ${level}`);
  return true;
}

/** The tests beside this one run on the best instruction set of this processor; here on the lesser ones. */
describe('kernels for other processors', { skip: process.arch !== 'x64' }, () => {
  for (const level of ['generic', 'avx2', 'avx512', 'avx512_bf16', 'amx_bf16']) {
    it(`pass their tests as ${level}`, (context) => {
      if (isRefused(context, level)) return;
      const expected = level.startsWith('avx512') || !level.endsWith('bf16') ? level : 'avx512_bf16';
      assert.deepEqual(loadedLevels(level), { float32: expected, bfloat16: level });
      if (loadedLevels().bfloat16 === level) return; // the tests beside this one have run on it
      const { status, stdout } = run(['--test', ...files], level);
      assert.equal(status, 0, stdout);
    });
  }

  it('are not chosen by a name that is none of theirs', () => {
    const { status, stderr } = run([childPath], 'avx-2');
    assert.notEqual(status, 0);
    const names = 'generic, avx2, avx512, avx512_bf16, amx_bf16';
    assert.match(
      stderr,
      new RegExp(`GNBENCH_ISA is avx-2, which is not an instruction set of gnbench: it has ${names}`),
    );
  });

  it('are the best ones when GNBENCH_ISA is empty', () => {
    assert.deepEqual(loadedLevels(''), loadedLevels());
  });
});
