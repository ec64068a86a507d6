import assert from 'node:assert/strict';
import { test } from 'node:test';
import { categoryColour, drawObjects } from './picture.js';
import { encodeMask } from './run-length.js';

test('a box is outlined on its own pixels, a mask tints what it covers, and nothing else changes', () => {
  const [height, width] = [12, 16];
  const pixels = new Uint8Array(height * width * 3).fill(100);
  const inside = (at: number) => at % width === 1 && Math.floor(at / width) === 1;
  const mask = encodeMask(
    Uint8Array.from({ length: height * width }, (_, at) => Number(inside(at))),
    height,
    width,
  );
  drawObjects(
    pixels,
    height,
    width,
    [
      { category: 7, box: [4, 3, 5, 6] },
      { category: 9, box: [100, 3, 5, 6] }, // its nearest edge is the image's
      { category: 7, box: [1, 1, 1, 1], mask },
    ],
    [7, 9],
  );
  const coloured = (number: number) =>
    Array.from({ length: height * width }, (_, at) => at).filter((at) =>
      categoryColour(number).every((value, c) => pixels[at * 3 + c] === value),
    );
  const edge = coloured(0).filter((at) => at % width >= 4 && at % width <= 8);
  assert.equal(edge.length, 2 * 5 + 2 * 4);
  assert.ok(edge.every((at) => [3, 8].includes(Math.floor(at / width)) || [4, 8].includes(at % width)));
  assert.ok(coloured(1).every((at) => at % width === width - 1));
  const changed = pixels.filter((value) => value !== 100).length;
  assert.ok(changed <= 3 * (18 + 6 + 1), `${changed} values changed`);
});
