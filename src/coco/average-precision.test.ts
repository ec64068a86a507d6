import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { averagePrecision } from './average-precision.js';
import type { Evaluated } from './detections.js';
import { makeCase } from './testing/cases.js';

const fixture: { digests: [string, string][]; first: { box: number[]; mask: number[] }[] } = JSON.parse(
  readFileSync('src/coco/fixtures/average-precision.json', 'utf8'),
);

/** The twelve numbers in pycocotools' order, −1 where there are none. */
function twelve(evaluated: Evaluated): number[] {
  const result = averagePrecision(evaluated);
  const { AP, AP50, AP75, APsmall, APmedium, APlarge, AR1, AR10, AR100, ARsmall, ARmedium, ARlarge } = result;
  return [AP, AP50, AP75, APsmall, APmedium, APlarge, AR1, AR10, AR100, ARsmall, ARmedium, ARlarge].map(
    (value) => value ?? -1,
  );
}

function evaluate(seed: number, by: 'box' | 'mask'): number[] {
  const { images, categories, truth, detections } = makeCase(seed);
  return twelve({
    by,
    images: Array.from({ length: images }, (_, image) => image),
    categories: Array.from({ length: categories }, (_, category) => category + 1),
    truth,
    detections,
  });
}

const digest = (values: number[]) =>
  createHash('sha256')
    .update(new Uint8Array(Float64Array.from(values).buffer))
    .digest('hex')
    .slice(0, 16);

for (const by of ['box', 'mask'] as const) {
  test(`AP by ${by} is pycocotools’ to the last bit on 1,000 random cases`, () => {
    for (const [seed, expected] of fixture.first.entries()) {
      assert.deepEqual(evaluate(seed, by), expected[by], `case ${seed}`);
    }
    const column = by === 'box' ? 0 : 1;
    const wrong = fixture.digests.flatMap((expected, seed) =>
      digest(evaluate(seed, by)) === expected[column] ? [] : [seed],
    );
    assert.deepEqual(wrong, []);
  });
}

const object = { image: 0, category: 1, box: [0, 0, 10, 10], area: 100, crowd: false } as const;
const only = (extra: Partial<Evaluated>): Evaluated => ({
  by: 'box',
  images: [0],
  categories: [1],
  truth: [object],
  detections: [],
  ...extra,
});

test('a category without objects has no AP, and does not count in the mean', () => {
  const detections = [
    { ...object, score: 0.9 },
    { ...object, category: 2, score: 0.9 },
  ];
  const { AP, perCategory } = averagePrecision(only({ categories: [1, 2], detections }));
  assert.ok(Math.abs(AP! - 1) < 1e-15); // precision is tp / (tp + fp + 2⁻⁵²), as in the reference
  assert.deepEqual(perCategory[1], { category: 2, objects: 0, AP: undefined, AP50: undefined });
});

test('nothing at all has no AP; objects that nobody found have an AP of 0', () => {
  assert.equal(averagePrecision(only({ truth: [] })).AP, undefined);
  assert.equal(averagePrecision(only({})).AP, 0);
});

test('a detection in a crowd is neither right nor wrong, however many there are', () => {
  const crowd = { ...object, box: [20, 0, 100, 100], area: 1e4, crowd: true } as const;
  const inside = (x: number) => ({ ...object, box: [x, 1, 5, 5] as const, score: 0.95 });
  const detections = [{ ...object, score: 0.9 }, inside(30), inside(40), inside(50)];
  assert.ok(averagePrecision(only({ truth: [object, crowd], detections })).AP! > 0.999);
  assert.ok(averagePrecision(only({ detections })).AP! < 0.999);
});
