import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { duration, startProgress } from './progress.js';

const escapeCharacter = String.fromCharCode(27);

class Screen extends Writable {
  text = '';
  isTTY = false;
  columns = 80;
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk;
    done();
  }
  get lines() {
    return this.text.split('\n').slice(0, -1);
  }
}

test('nothing when quiet', () => {
  const stream = new Screen();
  const progress = startProgress({ label: 'x', total: 10, quiet: true, stream });
  progress.update(5);
  progress.stop();
  assert.equal(stream.text, '');
});

test('without a terminal: plain lines at the start, at every tenth or 10 s, and at the end', () => {
  const stream = new Screen();
  let now = 0;
  const progress = startProgress({ label: 'steps', total: 1000, unit: 'steps', stream, now: () => now });
  for (let done = 1; done <= 1000; done++) {
    now += 40;
    progress.update(done, `loss ${done}`);
  }
  progress.stop('done');
  progress.stop();
  assert.equal(stream.lines.length, 12);
  assert.equal(stream.lines[0], 'steps: 0 % · 0/1000 steps');
  assert.equal(stream.lines[1], 'steps: 10 % · 100/1000 steps · 36 s left · loss 100');
  assert.equal(stream.lines.at(-1), 'steps: 100 % · 1000/1000 steps · 40 s · done');
  assert.ok(!stream.text.includes(escapeCharacter), 'no escape sequences');
});

test('without a terminal: a slow one speaks every 10 s, a quick one not every millisecond', () => {
  const stream = new Screen();
  let now = 0;
  const progress = startProgress({ label: 'slow', total: 1e6, stream, now: () => now });
  for (let done = 1; done <= 30; done++) {
    now += 1000;
    progress.update(done);
  }
  assert.equal(stream.lines.length, 4);
  const quick = new Screen();
  const bar = startProgress({ label: 'quick', total: 100, stream: quick, now: () => 0 });
  for (let done = 1; done <= 100; done++) bar.update(done);
  assert.equal(quick.lines.length, 1);
});

test('bytes have the unit of the total; what was there already does not count as speed', () => {
  const stream = new Screen();
  let now = 0;
  const progress = startProgress({ label: 'file', total: 274e6, unit: 'bytes', stream, now: () => now });
  progress.update(74e6);
  now = 10_000;
  progress.update(174e6);
  assert.equal(stream.lines.at(-1), 'file: 63 % · 174/274 MB · 10 s left');
});

test('an unknown total: what is done, no share', () => {
  const stream = new Screen();
  const progress = startProgress({ label: 'file', total: 0, unit: 'bytes', stream, now: () => 0 });
  progress.update(5e6);
  progress.stop();
  assert.equal(stream.lines.at(-1), 'file: 5 MB · 0 s');
});

test('with a terminal: one line that is never wider than it', () => {
  for (const columns of [200, 80, 40, 20, 5]) {
    const stream = new Screen();
    stream.isTTY = true;
    stream.columns = columns;
    const progress = startProgress({ label: 'a long label indeed', total: 100, unit: 'images', stream });
    progress.update(50, 'loss 1.234, error 56.7 %');
    progress.stop();
    const escapes = new RegExp(`${escapeCharacter}\\[[0-9;?]*[A-Za-z]`, 'g');
    const drawn = stream.text.replace(escapes, '\r').split(/[\r\n]/);
    for (const line of drawn) assert.ok(line.length < columns, `${line.length} in ${columns}: ${line}`);
    assert.ok(drawn.some((line) => line.startsWith('a l')));
    if (columns >= 80)
      assert.ok(
        drawn.some((line) => line.endsWith('56.7 %')),
        'all of it',
      );
    assert.equal(stream.text.split('\n').length, 2, 'one line, ended once');
  }
});

test('durations', () => {
  assert.deepEqual([400, 59_000, 200_000, 7_500_000].map(duration), [
    '0 s',
    '59 s',
    '3 min 20 s',
    '2 h 5 min',
  ]);
});
