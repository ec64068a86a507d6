import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'gnbench-no-sharp-'));
after(() => rmSync(folder, { recursive: true, force: true }));
// As after npm ci --omit=optional: sharp's code is there, its binary is not.
const preload = join(folder, 'without-binary.cjs');
writeFileSync(
  preload,
  `const module_ = require('node:module');
const resolve = module_._resolveFilename;
module_._resolveFilename = function (request, ...rest) {
  if (/^@img\\/|sharp-.*\\.node$/.test(request))
    throw Object.assign(new Error('Cannot find module ' + request), { code: 'MODULE_NOT_FOUND' });
  return resolve.call(this, request, ...rest);
};
`,
);

function without(program: string) {
  const args = ['--require', preload, '--input-type=module', '-e', program];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

test('without sharp’s binary doctor says so, and what needs it names the packages that are missing', () => {
  const doctor = new URL('./doctor.js', import.meta.url);
  const checked = without(
    `const { imagesCheck } = await import('${doctor}'); console.log(JSON.stringify(await imagesCheck()));`,
  );
  const check = JSON.parse(checked.stdout);
  assert.deepEqual([check.name, check.state], ['images', 'missing'], checked.stderr);
  assert.match(check.detail, /sharp has no binary for/);
  assert.match(check.fix, /--include=optional/);

  const decode = new URL('../datasets/image-folder/decode.js', import.meta.url);
  const explain = new URL('./explain.js', import.meta.url);
  const decoded = without(
    `const { explain } = await import('${explain}');
     await import('${decode}').catch((error) => console.log(explain(error, false).text));`,
  );
  assert.match(decoded.stdout, /error: sharp: the image library sharp has no binary/, decoded.stderr);
  assert.doesNotMatch(decoded.stdout, /mistake in gnbench/);
});
