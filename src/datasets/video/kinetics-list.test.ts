import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../errors.js';
import { listSplits } from './list.js';

const root = mkdtempSync(join(tmpdir(), 'gnbench-kinetics-'));
after(() => rmSync(root, { recursive: true, force: true }));

function write(split: string, lines: string[], files: string[]): void {
  mkdirSync(join(root, split), { recursive: true });
  writeFileSync(join(root, `${split}.csv`), `${lines.join('\r\n')}\r\n`);
  for (const file of files) writeFileSync(join(root, split, file), '');
}
const head = 'label,youtube_id,time_start,time_end,split';
const list = () => listSplits({ train: 'train.csv', val: 'val.csv' }, root);

test('a list names the class of each file that is there, and counts those that are gone', () => {
  write(
    'train',
    [
      head,
      'yoga,aaaaaaaaaaa,7,17,train',
      '"shaking hands, ""twice""",-bb_b,120,130,train',
      'yoga,gone,1,11,train',
    ],
    ['aaaaaaaaaaa_000007_000017.mp4', '-bb_b_000120_000130.webm', 'other.mp4', 'notes.txt'],
  );
  write(
    'val',
    [head, 'yoga,ccc,0,10,val', '"shaking hands, ""twice""",ddd,0,10,val'],
    ['ccc.mp4', 'ddd.mkv'],
  );
  const { train, val } = list();
  assert.deepEqual(train.classes, ['shaking hands, "twice"', 'yoga']);
  assert.deepEqual(train.paths, ['aaaaaaaaaaa_000007_000017.mp4', '-bb_b_000120_000130.webm']);
  assert.deepEqual([...train.labels], [1, 0]);
  assert.equal(train.root, join(root, 'train'));
  assert.deepEqual(
    [val.paths, [...val.labels]],
    [
      ['ccc.mp4', 'ddd.mkv'],
      [1, 0],
    ],
  );
});

test('what is no list, has no folder or lost a class is refused with its place', () => {
  const refused = (message: RegExp) =>
    assert.throws(list, (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.exitCode, 2);
      assert.match(`${error.place}: ${error.message}`, message);
      return true;
    });
  write('val', ['name,id', 'yoga,ccc'], []);
  refused(/data\.val: .*val\.csv: is no list of Kinetics/);
  write('val', [head, 'yoga,ccc,0,10,val', 'zumba,eee,0,10,val'], []);
  refused(/val: of a class no clip is there: zumba/);
  write('val', [head], []);
  refused(/the list is empty/);
  rmSync(join(root, 'val'), { recursive: true });
  refused(/data\.val: .*val.* cannot be read|no such file/i);
});
