import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { UserError } from '../../errors.js';
import { provide } from './index.js';
import { stockEngine } from './stock.js';
import { FakeMachine } from './testing/fake-machine.js';

const skip = process.platform === 'win32' ? 'the fakes are POSIX programs' : false;
let machine: FakeMachine;
beforeEach(async () => {
  machine = await FakeMachine.start();
});
afterEach(() => machine.stop());

/** A program that stands in for npm: it brings a `node-pre-gyp` that writes its arguments where the binding belongs. */
const npm = `#!/bin/sh
echo "npm $*" >> "$FAKE_LOG"
if [ -n "$FAKE_NPM" ]; then echo "$FAKE_NPM" >&2; exit 1; fi
mkdir -p node_modules/.bin
cat > node_modules/.bin/node-pre-gyp <<'END'
#!/bin/sh
mkdir -p lib/napi-v8
echo "$@" > lib/napi-v8/tfjs_binding.node
END
chmod +x node_modules/.bin/node-pre-gyp
`;

/** Stands for the package: its installer calls `node-pre-gyp` and writes what the real one downloads. */
async function fakePackage(installer: string): Promise<string> {
  const folder = join(machine.folder, 'package');
  for (const part of ['scripts', 'binding']) await mkdir(join(folder, part), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"name": "@tensorflow/tfjs-node-gpu", "version": "4.22.0"}');
  await writeFile(join(folder, 'binding.gyp'), '{}');
  const fake = join(machine.folder, 'programs', 'npm');
  await writeFile(fake, npm);
  await chmod(fake, 0o755);
  await writeFile(
    join(folder, 'scripts', 'deps-constants.js'),
    "module.exports = {LIBTENSORFLOW_VERSION: '2.9.1'}",
  );
  await writeFile(join(folder, 'scripts', 'install.js'), installer);
  return folder;
}

const works = `
const fs = require('fs');
fs.mkdirSync('deps/lib', {recursive: true});
fs.writeFileSync('deps/lib/libtensorflow.so.2.9.1', JSON.stringify([process.argv.slice(2), require('../package.json').name]));
fs.chmodSync('deps/lib/libtensorflow.so.2.9.1', 0o666);
require('child_process').execSync('node-pre-gyp install --fallback-to-build');
`;

test("the package's own installer runs on a copy, its engine is found again", { skip }, async () => {
  const original = await fakePackage(works);
  const before = await readdir(original, { recursive: true });
  const recipe = await stockEngine('cpu', original);
  assert.equal(await recipe.find(), undefined);
  const engine = await provide(recipe, { quiet: true });
  assert.equal(engine.tensorflow, '2.9.1');
  assert.equal(await readFile(engine.binding, 'utf8'), 'install --fallback-to-build\n');
  const library = join(engine.folder, 'deps', 'lib', 'libtensorflow.so.2.9.1');
  // The CPU library goes with the binding of the package of that name.
  assert.deepEqual(JSON.parse(await readFile(library, 'utf8')), [
    ['cpu', 'download'],
    '@tensorflow/tfjs-node',
  ]);
  assert.deepEqual(await readdir(original, { recursive: true }), before);
  const { lines } = await machine.calls();
  assert.match(lines.join(), /^npm install .*--ignore-scripts .*@mapbox\/node-pre-gyp@1\.0\.9/);
  assert.ok(!(await readdir(engine.folder)).includes('node_modules'), 'needed by the installer only');
  assert.equal(engine.nativeOps, undefined);
  assert.match(engine.nativeOpsMissing!, /headers/);
  assert.deepEqual(await (await stockEngine('cpu', original)).find(), engine);
  assert.equal(await (await stockEngine('cuda', original)).find(), undefined);

  const content = await readFile(library, 'utf8');
  await chmod(library, 0o644);
  await writeFile(library, content.replace(/.$/, '!'));
  await provide(recipe, { quiet: true, verify: true });
  assert.equal(await readFile(library, 'utf8'), content, 'a changed file is fetched anew by setup');
});

for (const [what, installer, message] of [
  [
    'fails',
    `console.error("throw er; // Unhandled 'error' event\\nError: getaddrinfo ENOTFOUND x.example.org"); process.exit(1)`,
    /: Error: getaddrinfo ENOTFOUND/,
  ],
  ['ends well without having done its work', '', /installer failed/],
] as const) {
  test(`an installer that ${what} is one sentence, and leaves nothing`, { skip }, async () => {
    const recipe = await stockEngine('cpu', await fakePackage(installer));
    await assert.rejects(provide(recipe, { quiet: true }), (error) => {
      assert.ok(error instanceof UserError, String((error as Error).stack));
      assert.match(error.message, message);
      assert.match(error.fix!, /--debug/);
      return true;
    });
    assert.equal(await recipe.find(), undefined);
    assert.deepEqual(await machine.engineNames(), []);
  });
}

test('without a registry in reach it is npm that is named', { skip }, async () => {
  process.env.FAKE_NPM = 'npm error code ENOTFOUND';
  try {
    const recipe = await stockEngine('cpu', await fakePackage(works));
    await assert.rejects(
      provide(recipe, { quiet: true }),
      /npm could not bring what the installer needs: npm error code ENOTFOUND/,
    );
  } finally {
    delete process.env.FAKE_NPM;
  }
});
