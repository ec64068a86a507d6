import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Draws } from '../../random/random.js';
import { motions, placements } from './motions.js';
import { drawClip } from './synthetic-video.js';

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
