/** What is committed under `results/` and in the README is what the code makes of the committed runs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';
import { collect, experimentResults } from '../../analysis/collect.js';
import { pages, regenerate } from '../../tools/readme.js';
import { reportFiles } from './artifacts.js';

/** A sweep may be adding to `results/` just now; then its tables are of a moment that is gone. */
const git = spawnSync('git', ['status', '--porcelain', '--', 'results'], { encoding: 'utf8' });
const busy = git.status === 0 && git.stdout !== '' ? 'results/ holds files that are not committed' : false;

test('the tables, figures and pages in results/ are made of the curves beside them', {
  skip: busy,
}, async () => {
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

for (const page of pages.filter((path) => existsSync(path))) {
  test(`the generated parts of ${page} are up to date`, { skip: busy }, async () => {
    const text = readFileSync(page, 'utf8');
    assert.ok(
      (await regenerate(text, page)) === text,
      `${page} is out of date: node dist/tools/readme.js --write`,
    );
  });
}
