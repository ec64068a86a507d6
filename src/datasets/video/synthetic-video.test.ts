import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Draws } from '../../random/random.js';
import { motions, placements } from './motions.js';
import { drawClip, drawSyntheticVideo } from './synthetic-video.js';

test('clips are the same bytes on every machine', () => {
  const hash = createHash('sha256');
  for (let index = 0; index < 8; index++) hash.update(drawClip(1, index, 8, 32));
  assert.equal(hash.digest('hex').slice(0, 16), '8f31c82cb12a8634');
  assert.notDeepEqual(drawClip(1, 0, 4, 16), drawClip(2, 0, 4, 16));
});

test('a pair’s classes are each other’s frames in reverse, whatever is drawn', () => {
  for (let pair = 0; pair < motions.length; pair += 2) {
    for (let seed = 0; seed < 20; seed++) {
      const forward = placements(pair, 8, 32, new Draws(seed, 'drawing'));
      const backward = placements(pair + 1, 8, 32, new Draws(seed, 'drawing'));
      for (const [frame, placement] of forward.entries()) {
        const other = backward[7 - frame];
        for (const key of ['a', 'b', 'c', 'd', 'left', 'top'] as const) {
          assert.ok(
            Math.abs(placement[key] - other[key]) < 1e-12,
            `${motions[pair]}, frame ${frame}, ${key}`,
          );
        }
      }
    }
  }
});

test('what moves, moves as its name says', () => {
  const at = (motion: (typeof motions)[number]) => {
    const list = placements(motions.indexOf(motion), 8, 32, new Draws(3, 'drawing'));
    return { first: list[0], last: list[7] };
  };
  // The point that is shown at the centre: when things go right, it comes from further and further left.
  const right = at('right');
  assert.ok(right.last.left < right.first.left - 4);
  const down = at('down');
  assert.ok(down.last.top < down.first.top - 4);
  // Things grow when the frame covers less of the picture.
  const zoom = at('in');
  assert.ok(Math.hypot(zoom.last.a, zoom.last.b) < 0.8 * Math.hypot(zoom.first.a, zoom.first.b));
  const turn = at('clockwise');
  assert.ok(Math.atan2(turn.last.b, turn.last.a) > Math.atan2(turn.first.b, turn.first.a) + 0.3);
});

test('as a data set: labels by class, and shuffled frames are the same frames', () => {
  const config = {
    name: 'synthetic-video',
    frames: 6,
    side: 16,
    validation: 'test',
    trainSubset: 16,
    valSubset: 8,
  } as const;
  const shown = drawSyntheticVideo({ ...config, frameOrder: 'shown' });
  const mixed = drawSyntheticVideo({ ...config, frameOrder: 'shuffled' });
  assert.deepEqual([shown.classes, shown.shape, shown.train.count], [8, [6, 16, 16, 3], 16]);
  for (let label = 0; label < 8; label++) {
    assert.equal(shown.train.labels.filter((each) => each === label).length, 2);
  }
  assert.deepEqual(mixed.train.labels, shown.train.labels);
  const size = 16 * 16 * 3;
  const frames = (images: Uint8Array, clip: number) =>
    Array.from({ length: 6 }, (_, frame) =>
      Buffer.from(images.subarray((clip * 6 + frame) * size, (clip * 6 + frame + 1) * size)).toString('hex'),
    );
  let moved = 0;
  for (let clip = 0; clip < 16; clip++) {
    const [before, after] = [frames(shown.train.images, clip), frames(mixed.train.images, clip)];
    assert.deepEqual(after.toSorted(), before.toSorted());
    if (after.join() !== before.join()) moved++;
  }
  assert.ok(moved >= 14);
  const pair = drawSyntheticVideo({ ...config, frameOrder: 'shown', classes: ['left', 'right'] });
  assert.deepEqual([pair.classes, pair.train.count], [2, 16]);
});
