import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { barLine, openDisplay } from './display.js';

const run = (seed: number) => ({
  cell: { key: 'bn-b2-0123456789', label: 'BN, batch 2' },
  seed,
  folder: `/x/${seed}`,
});

function watched(terminal: boolean, columns = 60) {
  const stream = Object.assign(new PassThrough(), {
    isTTY: terminal,
    columns,
    cursorTo() {},
    moveCursor() {},
    clearLine() {},
  });
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk;
  });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
}

test('without a terminal: plain lines for starts and ends, and no control characters', () => {
  const { stream, text } = watched(false);
  const runs = [run(1), run(2)];
  const display = openDisplay({ runs, cost: () => 1, doneBefore: () => 0, stream });
  display.started(runs[0]);
  display.progress(runs[0], {
    type: 'progress',
    epoch: 1,
    step: 5,
    totalSteps: 10,
    loss: 2.1,
    imagesPerSecond: 90,
  });
  display.ended(runs[0], { kind: 'diverged', step: 7 });
  display.alreadyDone(runs[1], { kind: 'completed' });
  display.stop();
  assert.equal(
    text(),
    'start  BN, batch 2, seed 1\nend    BN, batch 2, seed 1: diverged at step 7 (whole: 33 % · 1/2 runs)\n',
  );
});

test('what a run that failed lacks is neither done nor to be done', (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { stream, text } = watched(false);
  const runs = Array.from({ length: 12 }, (_, index) => run(index));
  // Three have diverged before, at a tenth of their way, and so have not used the rest of their time.
  const doneBefore = (each: (typeof runs)[number]) => (each.seed < 3 ? 0.1 : 0);
  const display = openDisplay({ runs, cost: () => 1000, doneBefore, stream });
  for (const each of runs.slice(0, 3)) display.alreadyDone(each, { kind: 'diverged' });
  const progress = { type: 'progress', epoch: 1, totalSteps: 100, loss: 1, imagesPerSecond: 1 } as const;
  display.progress(runs[3], { ...progress, step: 0 });
  now = 60_000;
  display.ended(runs[3], { kind: 'interrupted' });
  display.progress(runs[3], { ...progress, step: 2, epoch: 2 });
  assert.match(text(), /\(whole: 3 % · 3\/12 runs\)/, 'nothing is done, so no time is known');
  // A fiftieth of one run in a minute: 9 runs of 50 minutes.
  assert.match(text(), /\(whole: 3 % · 3\/12 runs · 7 h 29 min left\)/);
});

test('in a terminal: a bar for each running run and one for the whole', { timeout: 60_000 }, async () => {
  const { stream, text } = watched(true);
  const runs = [run(1), run(2)];
  const display = openDisplay({ runs, cost: () => 1, doneBefore: () => 0, stream });
  for (const each of runs) display.started(each);
  display.progress(runs[1], {
    type: 'progress',
    epoch: 3,
    step: 5,
    totalSteps: 10,
    loss: 0.5,
    imagesPerSecond: 100,
  });
  // The bars are drawn when their timer comes, however long the machine takes for it.
  const drawn = [/sweep.*25 %/, /BN, batch 2, seed 1/, /BN, batch 2, seed 2.*50 %.*epoch 3/];
  while (!drawn.every((line) => line.test(text()))) await new Promise((resolve) => setTimeout(resolve, 5));
  display.stop();
});

test('a bar’s line is never as wide as the terminal', () => {
  for (const columns of [20, 40, 80, 200]) {
    const line = barLine(
      'GN (8 groups), batch 32, seed 1',
      0.5,
      'epoch 12 · loss 1.234 · error 45.67 % · 123 images/s',
      columns,
    );
    assert.ok(line.length < columns, `${line.length} in ${columns}`);
  }
  assert.match(barLine('BN', 0.5, 'epoch 1', 80), /█+░+/);
});

test('quiet says nothing', () => {
  const { stream, text } = watched(false);
  const display = openDisplay({ runs: [run(1)], cost: () => 1, doneBefore: () => 0, quiet: true, stream });
  display.note('a');
  display.started(run(1));
  display.stop();
  assert.equal(text(), '');
});
