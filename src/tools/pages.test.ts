import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parseConfig } from '../config/load.js';
import { planRun } from '../models/plan.js';
import { version } from '../version.js';
import { pages as generatedPages } from './readme.js';
import { readRecipes } from './testing/recipes.js';

const root = join(import.meta.dirname, '../..');
const pages = [
  ...generatedPages,
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Targets of links and images, and paths in code spans that begin with a folder of the repository. */
function namedPaths(page: string, markdown: string): string[] {
  const text = markdown.replace(/^```[\s\S]*?^```$/gm, '');
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)/g)];
  const spans = [...text.matchAll(/`((?:src|bin|configs|experiments|results|docs)\/[\w./-]+)`/g)];
  return [
    ...links.map(([, target]) => join(dirname(page), target)),
    // A run's folder is the reader's own.
    ...spans.map(([, path]) => path).filter((path) => !path.startsWith('results/runs')),
  ];
}

/** The files that a reader of docs/extending.md is about to write. */
const toBeWritten = [...readRecipes(read('docs/extending.md')).values()]
  .flat()
  .flatMap((step) => (step.kind === 'file' ? [step.path] : []));

for (const page of pages) {
  test(`${page} names no file that is not there`, () => {
    const missing = namedPaths(page, read(page)).filter(
      (path) => !existsSync(join(root, path)) && !toBeWritten.includes(path),
    );
    assert.deepEqual(missing, []);
  });
}

test('a link to nowhere is found', () => {
  assert.deepEqual(namedPaths('docs/x.md', 'see [a](../a.md#b), [c](https://c.org), `src/d.ts` and `e/f`'), [
    'a.md',
    'src/d.ts',
  ]);
});

test('the README is a front door: at most 120 lines, and a table of at most six results', () => {
  const text = read('README.md');
  assert.ok(text.trimEnd().split('\n').length <= 120, 'move what is for later to docs/');
  const headline = /<!-- generated: headline .*?-->([\s\S]*?)<!-- \/generated -->/.exec(text)![1];
  const rows = headline.trim().split('\n').slice(2);
  assert.ok(rows.length >= 1 && rows.length <= 6, `${rows.length} rows`);
});

test('the citation and the changelog know the version', () => {
  assert.equal(parse(read('CITATION.cff')).version, version);
  assert.ok(read('CHANGELOG.md').includes(`\n## ${version}\n`));
});

test('the configurations of docs/parts.md are valid, with parts that their networks have', () => {
  const blocks = [...read('docs/parts.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml);
  assert.ok(blocks.length >= 2);
  for (const yaml of blocks) planRun(parseConfig(yaml, { file: 'docs/parts.md' }));
});

test('the oldest compiler that is promised is the one that the kernels are built with before main moves', () => {
  const [, version] = /CXX=g\+\+-(\d+) /.exec(read('.ci/run'))!;
  const promised = ['README.md', 'docs/install.md', 'src/engine/install/compiler.ts'].map(
    (path) => /g\+\+ \(?(\d+) or newer/.exec(read(path))?.[1],
  );
  assert.deepEqual(promised, [version, version, version]);
});
