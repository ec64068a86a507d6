import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Draws } from '../../random/random.js';
import { decodedSide, gridView, randomView } from './view.js';

const sampling = { frames: 4, interval: 2, resolution: 56, jitter: 0.25 };
const extent = { count: 20, width: 128, height: 64 };

test('a random view lies within the video, and every start, side and place occurs', () => {
  const seen = { starts: new Set<number>(), flips: new Set<boolean>(), lefts: new Set<number>() };
  for (let seed = 0; seed < 400; seed++) {
    const { frames, left, top, side, flip } = randomView(extent, sampling, new Draws(seed, 'clip'));
    assert.deepEqual(
      frames,
      [0, 2, 4, 6].map((offset) => frames[0] + offset),
    );
    assert.ok(frames[0] >= 0 && frames[0] <= 12);
    // The shorter side, 64, stands for 64 to 80 pixels of which 56 are seen.
    assert.ok(side >= 45 && side <= 56);
    assert.ok(left >= 0 && left + side <= 128 && top >= 0 && top + side <= 64);
    seen.starts.add(frames[0]);
    seen.flips.add(flip);
    seen.lefts.add(left);
  }
  assert.deepEqual([seen.starts.size, seen.flips.size], [13, 2]);
  assert.ok(seen.lefts.size > 40);
});

test('a video that is too short begins again', () => {
  const short = { ...extent, count: 3 };
  assert.deepEqual(randomView(short, sampling, new Draws(1, 'clip')).frames, [0, 2, 1, 0]);
  assert.deepEqual(gridView(short, sampling, { clips: 3, crops: 1 }, 2).frames, [0, 2, 1, 0]);
});

test('views of an evaluation are spread over the video, and crops along its longer side', () => {
  const grid = { clips: 3, crops: 3 };
  const views = Array.from({ length: 9 }, (_, view) => gridView(extent, sampling, grid, view));
  assert.deepEqual(
    views.map(({ frames }) => frames[0]),
    [0, 0, 0, 6, 6, 6, 12, 12, 12],
  );
  assert.deepEqual(
    views.slice(0, 3).map(({ left, top, side }) => [left, top, side]),
    [
      [0, 4, 56],
      [36, 4, 56],
      [72, 4, 56],
    ],
  );
  const tall = { count: 20, width: 64, height: 128 };
  assert.equal(gridView(tall, sampling, grid, 2).top, 72);
  const single = gridView(extent, sampling, { clips: 1, crops: 1 }, 0);
  assert.deepEqual([single.frames[0], single.left, single.top, single.flip], [6, 36, 4, false]);
});

test('files are decoded to the largest scale that is asked for', () => {
  assert.equal(decodedSide({ resolution: 224, jitter: 0.25 }), 320);
});
