import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cacheFolder } from '../cache.js';
import { applyRecipe, readRecipes } from './testing/recipes.js';

const root = join(import.meta.dirname, '../..');
const recipes = readRecipes(readFileSync(join(root, 'docs/extending.md'), 'utf8'));

let copy: string;

before(() => {
  copy = mkdtempSync(join(tmpdir(), 'gnbench-recipes-'));
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0');
  for (const path of files.filter((name) => name && !name.startsWith('results/'))) {
    if (existsSync(join(root, path))) cpSync(join(root, path), join(copy, path));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
});
after(() => rmSync(copy, { recursive: true, force: true }));

function run(commands: string, environment: NodeJS.ProcessEnv = {}): void {
  const result = spawnSync('sh', ['-ec', commands], {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...environment },
  });
  assert.equal(result.status, 0, `${commands}\n${result.stdout}${result.stderr}`);
}

test('there is a recipe for each kind of addition', () => {
  assert.deepEqual([...recipes.keys()], ['A normalizer', 'A model', 'A data set', 'A task', 'A kernel']);
});

const withKernel = process.env.GNBENCH_TEST_KERNEL_RECIPE !== undefined;
for (const [name, steps] of recipes) {
  const ofKernel = name === 'A kernel';
  const skip =
    ofKernel && !withKernel ? 'it compiles all kernels, in minutes: GNBENCH_TEST_KERNEL_RECIPE=1' : false;
  test(`${name}: the recipe builds and runs`, { skip }, () => {
    applyRecipe(steps, copy);
    // A cache of its own, with the same engine: the kernels that are compiled for this test go with it.
    const cache = join(copy, 'cache');
    if (ofKernel) {
      mkdirSync(cache);
      execFileSync('cp', ['-al', join(cacheFolder(), 'engine'), cache]);
    }
    for (const step of steps) {
      if (step.kind !== 'commands') continue;
      // As npx does it in a clone, but for a copy that npx would keep.
      const commands = step.text.replaceAll('npx gnbench', 'node bin/gnbench.js');
      run(commands, ofKernel ? { GNBENCH_CACHE: cache } : {});
    }
  });
}

test('what the recipes add is typed, formatted and without lint, all of it together', () => {
  const added = [...recipes]
    .filter(([name]) => name !== 'A kernel' || withKernel)
    .flatMap(([, steps]) => steps.flatMap((step) => (step.kind === 'commands' ? [] : [step.path])))
    .filter((path) => /\.(ts|mjs)$/.test(path));
  run(`npx tsc --noEmit && npx biome check ${[...new Set(added)].join(' ')}`);
});

test('an edit without a place of its own is refused', () => {
  const steps = readRecipes('# T\n\n## X\n\nSee `bin/test.js`:\n\n```diff\n nowhere\n+here\n```\n').get('X')!;
  assert.throws(() => applyRecipe(steps, copy), /bin\/test\.js holds this 0 times/);
});
