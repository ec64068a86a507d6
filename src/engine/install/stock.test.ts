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

/** Stands for the package: its installer calls `node-pre-gyp` and writes what the real one downloads. */
async function fakePackage(installer: string): Promise<string> {
  const folder = join(machine.folder, 'package');
  const preGyp = join(folder, 'node_modules', '@mapbox', 'node-pre-gyp');
  for (const part of [join(folder, 'scripts'), join(folder, 'binding'), join(preGyp, 'bin')]) {
    await mkdir(part, { recursive: true });
  }
  await writeFile(join(folder, 'package.json'), '{"name": "@tensorflow/tfjs-node-gpu", "version": "4.22.0"}');
  await writeFile(join(folder, 'binding.gyp'), '{}');
  await writeFile(join(preGyp, 'package.json'), '{"name": "@mapbox/node-pre-gyp", "version": "1.0.9"}');
  await writeFile(
    join(preGyp, 'bin', 'node-pre-gyp'),
    '#!/bin/sh\nmkdir -p lib/napi-v8\necho "$@" > lib/napi-v8/tfjs_binding.node\n',
  );
  await chmod(join(preGyp, 'bin', 'node-pre-gyp'), 0o755);
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
  assert.equal(engine.nativeOps, undefined);
  assert.match(engine.nativeOpsMissing!, /headers/);
  assert.deepEqual(await (await stockEngine('cpu', original)).find(), engine);
  assert.equal(await (await stockEngine('cuda', original)).find(), undefined);
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
