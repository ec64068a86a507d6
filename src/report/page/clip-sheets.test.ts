import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Study } from '../../analysis/study.js';
import { clipFigures } from './clip-sheets.js';

const root = mkdtempSync(join(tmpdir(), 'gnbench-sheets-'));
after(() => rmSync(root, { recursive: true, force: true }));

function cell(label: string, ...sheets: Record<string, string>[]) {
  const runs = sheets.map((files, index) => {
    const folder = join(root, label, String(index + 1));
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return { seed: index + 1, folder };
  });
  return { label, runs };
}

test('a page shows one sheet of frames, and the mistakes of each cell’s first run that has some', () => {
  const frames = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  const cells = [
    cell('images', {}),
    cell('BN <b>', {}, { 'frames.svg': frames, 'mistakes.svg': '<svg/>' }),
    cell('GN', { 'frames.svg': '<svg/>', 'mistakes.svg': '<svg/>' }, { 'mistakes.svg': '<svg/>' }),
  ] as unknown as Study['cells'];
  const figures = clipFigures({ cells });
  assert.equal(figures.length, 3);
  assert.match(figures[0], /A validation clip of each class/);
  assert.match(figures[1], /BN &lt;b&gt;, seed 2/);
  assert.match(figures[2], /GN, seed 1/);
  // The file is an image's address, not a part of the page.
  assert.ok(!figures[0].includes('<script>'));
  assert.ok(figures[0].includes(Buffer.from(frames).toString('base64')));
  assert.deepEqual(clipFigures({ cells: [cells[0]] }), []);
});
