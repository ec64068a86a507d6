import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../errors.js';
import { listSplits } from './list.js';

const folder = mkdtempSync(join(tmpdir(), 'gnbench-clips-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** é as Linux writes it, and as macOS does. */
const [composed, decomposed] = ['\u00e9', 'e\u0301'];
for (const [split, name] of [
  ['train', composed],
  ['val', decomposed],
]) {
  for (const label of [name, 'a']) {
    mkdirSync(join(folder, split, label), { recursive: true });
    writeFileSync(join(folder, split, label, 'one.mp4'), '');
  }
}

test('folders of clips are the same class in whichever Unicode characters they are written', () => {
  const { train, val } = listSplits({ train: 'train', val: 'val' }, folder);
  assert.deepEqual(train.classes, ['a', composed]);
  assert.deepEqual(val.classes, train.classes);
  assert.deepEqual(val.paths, [join('a', 'one.mp4'), join(decomposed, 'one.mp4')], 'files keep their names');
});

test('a mistyped --data is not passed over', () => {
  const named = { train: join(folder, 'train'), val: 'val' };
  assert.throws(
    () => listSplits(named, join(folder, 'typo')),
    (error: unknown) => error instanceof UserError && /^--data .*typo$/.test(error.place ?? ''),
  );
});
