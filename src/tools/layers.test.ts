import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backArrows, circles, isTestCode, layerOf, layersIn, readImports } from './testing/imports.js';

const root = join(import.meta.dirname, '../..');
const layers = layersIn(readFileSync(join(root, 'docs/layout.md'), 'utf8'));
const imports = readImports(join(root, 'src'));

test('every module belongs to a layer', () => {
  const strays = [...imports.keys()].filter((module) => !layerOf(module, layers) && !isTestCode(module));
  assert.deepEqual(strays, [], 'docs/layout.md lists no layer for these');
});

test('every layer has modules, and each is listed once', () => {
  assert.equal(new Set(layers).size, layers.length);
  const held = new Set([...imports.keys()].map((module) => layerOf(module, layers)));
  // The kernels are C++.
  assert.deepEqual(
    layers.filter((layer) => !held.has(layer) && layer !== 'engine/kernels'),
    [],
  );
});

test('imports go to lower layers only', () => {
  assert.deepEqual(backArrows(imports, layers), []);
});

test('no modules import each other in a circle', () => {
  assert.deepEqual(circles(imports), []);
});

test('an import that goes upwards is named, and so is a circle', () => {
  const added = new Map(imports);
  added.set('random/random.ts', [...imports.get('random/random.ts')!, 'training/train.ts']);
  const arrow = 'random/random.ts -> training/train.ts';
  assert.deepEqual(backArrows(added, layers), [arrow]);
  assert.ok(circles(added).some((group) => /random\/random\.ts.*training\/train\.ts/.test(group)));
});

test('a folder has at most 20 files beside its tests', () => {
  const counts = new Map<string, number>();
  for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /\.test\.ts$/.test(entry.name)) continue;
    const folder = entry.parentPath.slice(root.length + 1);
    if (/\/(fixtures|testing)(\/|$)/.test(folder)) continue;
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  assert.deepEqual(
    [...counts].filter(([, files]) => files > 20),
    [],
  );
});

test('only tests import from testing/', () => {
  const offences = [...imports].flatMap(([importer, imported]) =>
    isTestCode(importer) ? [] : imported.filter(isTestCode).map((module) => `${importer} -> ${module}`),
  );
  assert.deepEqual(offences, []);
});

test('the npm package holds no tests and nothing that only they use', () => {
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  assert.ok(paths.includes('src/cli.ts'));
  assert.deepEqual(
    paths.filter((path) => /\.test\.ts$|\/(testing|fixtures)\/|^bin\/test/.test(path)),
    [],
  );
});
