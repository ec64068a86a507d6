/** The pages committed under `results/` and in the README are those that the code makes of the committed runs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { after } from 'node:test';
import { collect, experimentResults } from '../../analysis/collect.js';
import { pages, regenerate } from '../../tools/readme.js';
import { reportFiles } from './artifacts.js';

/**
 * A sweep may be adding to `results/` just now, so that its pages are of a moment that is gone: then the files that git
 * has in its index are what is tested, in a copy of them. They are tested in any case.
 */
function whatGitHas(): string | undefined {
  const git = (...args: string[]) => spawnSync('git', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const status = git('status', '--porcelain', '-uall', '-z', '--', 'results');
  const changed = status.status === 0 ? status.stdout.split('\0').map((line) => line.slice(3)) : [];
  if (!changed.some((path) => path !== '' && !isGenerated(path))) return undefined;
  const copy = mkdtempSync(join(tmpdir(), 'gnbench-committed-'));
  const { stdout } = git('ls-files', '-z', '--', 'results', 'experiments', 'configs', ...pages);
  const written = spawnSync('git', ['checkout-index', '-z', '--stdin', `--prefix=${copy}/`], {
    input: stdout,
  });
  assert.equal(written.status, 0, String(written.stderr));
  return copy;
}

/** True for a file that `gnbench report` or `npm run pages` writes. */
function isGenerated(path: string): boolean {
  return /(^|\/)(table\.md|runs\.csv|cells\.csv|report\.html|README\.md|figures\/[^/]+)$/.test(path);
}

const copy = whatGitHas();
if (copy !== undefined) {
  process.chdir(copy);
  after(() => rmSync(copy, { recursive: true, force: true }));
}

test('the tables, figures and pages in results/ are made of the curves beside them', async () => {
  assert.ok(experimentResults().length >= 9, 'no experiment was found');
  for (const folder of experimentResults()) {
    const files = await reportFiles(await collect(folder), { png: false });
    for (const [name, content] of files) {
      const path = join(folder, name);
      assert.ok(existsSync(path), `${path} is missing: gnbench report ${basename(folder)}`);
      assert.ok(
        readFileSync(path, 'utf8') === content,
        `${path} is out of date: gnbench report ${basename(folder)}`,
      );
    }
  }
});

for (const page of pages) {
  test(`the generated parts of ${page} are up to date`, async () => {
    const text = readFileSync(page, 'utf8');
    assert.ok(
      (await regenerate(text, page)) === text,
      `${page} is out of date: node dist/tools/readme.js --write`,
    );
  });
}
