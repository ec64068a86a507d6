import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProfileRow } from '../../bench/profile.js';
import type { BenchRow } from '../../bench/row.js';
import { profilePage } from './profile.js';

const profile: ProfileRow[] = [
  { kind: 'convolution', layer: 'stem.conv', milliseconds: 5, share: 0.5, gigaflops: 90, ofPeak: 0.9 },
  { kind: 'convolution', layer: '<b>', milliseconds: 2, share: 0.2, gigaflops: 50, ofPeak: 0.5 },
  { kind: 'update', layer: '', milliseconds: 1, share: 0.1, gigabytes: 40, ofPeak: 0.8 },
  { kind: 'waiting', layer: '', milliseconds: 2, share: 0.2 },
];
const row: BenchRow = {
  model: 'resnet18',
  resolution: 64,
  classes: 1000,
  parameters: 11689512,
  normalizer: 'group',
  batch: 2,
  workers: 8,
  precision: 'float32',
  convolutions: 'direct',
  threads: { intraOp: 2, interOp: 1 },
  imagesPerSecond: 185,
  stepMs: { median: 9.9, q1: 9.8, q3: 10 },
  steps: 10,
  loadSeconds: 1,
  compileSeconds: 1,
  peakMemoryMB: 600,
  profile,
};

/** The cells of a page's tables, row by row. */
const tablesOf = (page: string) =>
  page
    .split('<tbody>')
    .slice(1)
    .map((table) =>
      table
        .split('</tbody>')[0]
        .trim()
        .split('\n')
        .map((line) => [...line.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, cell]) => cell)),
    );

describe("the page of `bench --profile`'s", () => {
  const page = profilePage([row, { ...row, normalizer: 'none', profile: undefined }]);
  const [kinds, layers] = tablesOf(page);

  it('has a table of kinds and one of layers, which add up to the step', () => {
    assert.equal(tablesOf(page).length, 2);
    assert.deepEqual(
      kinds.map(([kind, , milliseconds]) => [kind, milliseconds]),
      [
        ['convolution', '7.00'],
        ['waiting', '2.00'],
        ['update', '1.00'],
      ],
    );
    assert.equal(layers.length, profile.length);
    for (const table of [kinds, layers]) {
      const shares = table.reduce((sum, cells) => sum + Number.parseFloat(cells[3]), 0);
      assert.ok(Math.abs(shares - 100) < 5, `${shares} %`);
    }
    assert.match(page, /a step takes 9\.9 ms, with a clock on every operation 10\.0 ms/);
  });

  it('names the setting, escapes names, and draws the longest bar in full', () => {
    assert.match(page, /<h2>resnet18, 64×64, group, 8×2, float32, direct<\/h2>/);
    assert.ok(!page.includes('<b>') && layers[1][1] === '&lt;b&gt;');
    assert.match(layers[0][4], /rect width="120\.0"/);
    assert.match(layers[1][4], /rect width="48\.0"/);
  });
});
