import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { polygonsMask } from './polygon.js';
import {
  compressCounts,
  decodeMask,
  encodeMask,
  expandCounts,
  maskArea,
  maskBox,
  maskOverlap,
  mergeMasks,
} from './run-length.js';
import { makePolygons } from './testing/cases.js';

const fixture: { masks: { counts: string; area: number; box: number[] }[] } = JSON.parse(
  readFileSync('src/coco/fixtures/masks.json', 'utf8'),
);

test('polygons become pycocotools’ masks, run for run', () => {
  for (const [index, { polygons, height, width }] of makePolygons(fixture.masks.length).entries()) {
    const mask = polygonsMask(polygons, height, width);
    const { counts, area, box } = fixture.masks[index];
    assert.deepEqual(
      [compressCounts(mask.counts), maskArea(mask), maskBox(mask)],
      [counts, area, box],
      `${index}`,
    );
  }
});

const masks = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([height, width]) => {
    const pixels = fc.uint8Array({ min: 0, max: 1, minLength: height * width, maxLength: height * width });
    return fc.tuple(fc.constant(height), fc.constant(width), pixels, pixels);
  });

test('encoding, decoding, area, union, intersection and overlap agree with the pixels', () => {
  fc.assert(
    fc.property(masks, ([height, width, first, second]) => {
      const [a, b] = [first, second].map((pixels) => encodeMask(pixels, height, width));
      const count = (both: (p: number, q: number) => boolean) =>
        first.reduce((sum, value, at) => sum + Number(both(value, second[at])), 0);
      const [both, either] = [count((p, q) => p + q === 2), count((p, q) => p + q > 0)];
      assert.deepEqual([...decodeMask(a)], [...first]);
      assert.equal(
        maskArea(a),
        count((p) => p === 1),
      );
      assert.deepEqual(expandCounts(compressCounts(a.counts)), a.counts);
      assert.deepEqual(
        [...decodeMask(mergeMasks([a, b]))],
        [...first].map((p, at) => p | second[at]),
      );
      assert.deepEqual(
        [...decodeMask(mergeMasks([a, b], 'intersection'))],
        [...first].map((p, at) => p & second[at]),
      );
      assert.equal(maskOverlap(a, b, false), both === 0 ? 0 : both / either);
      assert.equal(maskOverlap(a, b, true), both === 0 ? 0 : both / maskArea(a));
    }),
    { numRuns: 500 },
  );
});

test('texts that are no compressed mask are refused', () => {
  for (const text of ['0P', 'é', ' 0', 'oooooooooo'])
    assert.throws(() => expandCounts(text), RangeError, text);
});
