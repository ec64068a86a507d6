import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../errors.js';
import { averagePrecision } from './average-precision.js';
import { instanceMask, parseInstances, sayLeftOut } from './instances.js';
import { parseResults, resultsText } from './results-file.js';
import { maskArea } from './run-length.js';

const sound = {
  images: [
    { id: 7, file_name: 'a.jpg', width: 20, height: 10 },
    { id: 9, file_name: 'sub/b.jpg', width: 8, height: 8 },
  ],
  categories: [
    { id: 3, name: 'cat' },
    { id: 90, name: 'dog' },
  ],
  annotations: [
    {
      id: 0,
      image_id: 7,
      category_id: 3,
      iscrowd: 0,
      bbox: [2, 2, 4, 4],
      area: 16,
      segmentation: [[2, 2, 6, 2, 6, 6, 2, 6]],
    },
    {
      id: 5,
      image_id: 7,
      category_id: 90,
      iscrowd: 1,
      bbox: [0, 0, 20, 10],
      area: 12,
      segmentation: { size: [10, 20], counts: [5, 12, 183] },
    },
    {
      id: 6,
      image_id: 7,
      category_id: 90,
      iscrowd: 0,
      bbox: [0, 0, 2, 2],
      area: 12,
      segmentation: { size: [10, 20], counts: '5<g5' },
    },
    { id: 8, image_id: 7, category_id: 90, bbox: [0, 0, 2, 2], segmentation: [] },
  ],
};
type Json = Record<string, unknown>;
const textWith = (change: (copy: typeof sound) => void): string => {
  const copy = structuredClone(sound);
  change(copy);
  return JSON.stringify(copy);
};
/** With the first annotation changed. */
const annotation = (change: Json) => textWith(({ annotations }) => Object.assign(annotations[0], change));

test('ids from 0, gaps in categories, crowds, run lengths in both forms, images without annotations', () => {
  const { images, categories, objects, skipped } = parseInstances(JSON.stringify(sound), 'i.json');
  assert.deepEqual([images.length, categories.length, objects.length, skipped.length], [2, 2, 4, 0]);
  const areas = objects.map((object) => instanceMask(object, images[0]));
  assert.deepEqual(
    areas.map((mask) => mask && maskArea(mask)),
    [16, 12, 12, undefined],
  );
  assert.deepEqual(
    objects.map(({ crowd }) => crowd),
    [false, true, false, false],
  );
  assert.deepEqual(
    objects.map(({ area }) => area),
    [16, 12, 12, 4],
  );
  // An object whose id is 0 counts like any other.
  const detections = [{ ...objects[0], score: 1 }];
  const ids = { images: [7, 9], categories: [3, 90] };
  const { perCategory } = averagePrecision({ by: 'box', ...ids, truth: objects, detections } as never);
  assert.ok(perCategory[0].AP! > 0.999);
});

const cases: [string, string, RegExp][] = [
  ['no JSON', '{', /not JSON/],
  ['a list', '[]', /the list "categories" is missing/],
  ['no images', textWith((c) => delete (c as Json).images), /the list "images" is missing/],
  ['no categories', textWith((c) => c.categories.splice(0)), /there is no category/],
  ['an image twice', textWith((c) => c.images.push(c.images[0])), /image 7 stands there twice/],
  [
    'an image out of the folder',
    textWith((c) => Object.assign(c.images[0], { file_name: '../../x.jpg' })),
    /leaves the folder/,
  ],
  [
    'an image without size',
    textWith((c) => Object.assign(c.images[0], { width: 0 })),
    /image 7 has no sound width/,
  ],
  ['an unknown image', annotation({ image_id: 8 }), /annotation 0 is of image 8, which is not listed/],
  [
    'an unknown category',
    annotation({ category_id: 4 }),
    /annotation 0 \(image 7, a\.jpg\): there is no category 4/,
  ],
  ['a duplicate id', annotation({ id: 5 }), /annotation 5 stands there twice/],
  ['a box outside', annotation({ bbox: [20, 2, 4, 4] }), /outside of the image of 20×10/],
  ['a box of less than nothing', annotation({ bbox: [2, 2, -1, 4] }), /has a side below 0/],
  ['a box of no numbers', annotation({ bbox: [2, 2, null, 4] }), /four numbers/],
  ['two corners', annotation({ segmentation: [[1, 1, 2, 2]] }), /4 numbers/],
  ['half a corner', annotation({ segmentation: [[1, 1, 2, 2, 3, 3, 4]] }), /7 numbers/],
  [
    'another size',
    annotation({ segmentation: { size: [20, 10], counts: '5<g5' } }),
    /size \[20,10\].*\[10, 20\]/,
  ],
  ['too few pixels', annotation({ segmentation: { size: [10, 20], counts: [5, 12] } }), /17 pixels.*200/],
  ['no run lengths', annotation({ segmentation: { size: [10, 20], counts: 'é' } }), /cannot be read/],
];
for (const [name, text, message] of cases) {
  test(`annotations with ${name} are refused by name`, () => {
    assert.throws(
      () => parseInstances(text, 'i.json'),
      (error) =>
        error instanceof UserError && message.test(error.message) && error.place === 'i.json' && !!error.fix,
    );
  });
}

test('a box of no area is left out by itself, and named: two of COCO’s are such', (context) => {
  for (const bbox of [
    [2, 2, 0, 4],
    [2, 2, 4, 0],
    [20, 10, 0, 0],
  ]) {
    const instances = parseInstances(annotation({ bbox }), 'i.json');
    assert.equal(instances.objects.length, 3);
    assert.deepEqual(instances.skipped, []);
    const reason = `annotation 0 (image 7, a.jpg): its box [${bbox}] has no area`;
    assert.deepEqual(instances.withoutArea, [reason]);
    const write = context.mock.method(process.stderr, 'write', () => true);
    sayLeftOut('i.json', instances);
    write.mock.restore();
    assert.equal(write.mock.calls[0].arguments[0], `warning: i.json: 1 annotation left out: ${reason}\n`);
  }
});

test('with onBroken: skip, broken annotations are left out and named', () => {
  const { objects, skipped } = parseInstances(annotation({ bbox: [2, 2, -1, 4] }), 'i.json', 'skip');
  assert.equal(objects.length, 3);
  assert.deepEqual(skipped, ['annotation 0 (image 7, a.jpg): its box [2,2,-1,4] has a side below 0']);
  assert.throws(
    () =>
      parseInstances(
        textWith((c) => c.images.push(c.images[0])),
        'i.json',
        'skip',
      ),
    UserError,
  );
});

/** A generator of mutations that needs nothing but a seed. */
function mutate(text: string, seed: number): string {
  let state = seed + 1;
  const below = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const values = ['null', '-1', '1e999', '"x"', '[]', '{}', 'true', '0.5', '9007199254740993', '""'];
  const tokens = text.match(/"[^"]*"|-?[\d.]+|[[\]{}:,]|true|null/g)!;
  for (let change = 0; change <= below(3); change++) {
    const at = below(tokens.length);
    const how = below(4);
    if (how === 0) tokens.splice(at, 1);
    else if (how === 1) tokens.splice(at, 0, tokens[below(tokens.length)]);
    else tokens[at] = values[below(values.length)];
  }
  return tokens.join('');
}

test('10,000 mutated annotation files give instances or a message, never another error', () => {
  const text = JSON.stringify(sound);
  let refused = 0;
  for (let seed = 0; seed < 10_000; seed++) {
    const onBroken = seed % 2 ? 'skip' : 'fail';
    try {
      const { images, objects } = parseInstances(mutate(text, seed), 'i.json', onBroken);
      const sizes = new Map(images.map((image) => [image.id, image]));
      for (const object of objects) instanceMask(object, sizes.get(object.image)!);
    } catch (error) {
      assert.ok(error instanceof UserError, `seed ${seed}: ${error instanceof Error ? error.stack : error}`);
      refused++;
    }
  }
  assert.ok(refused > 1000 && refused < 9900, `${refused} refused`);
});

test('detections are read as they were written', () => {
  const instances = parseInstances(JSON.stringify(sound), 'i.json');
  const mask = instanceMask(instances.objects[0], instances.images[0])!;
  const detections = [
    { image: 7, category: 3, score: 0.1 + 0.2, box: [1.5, 2, 3, 4] as const, mask },
    { image: 9, category: 90, score: 1e-9, box: [0, 0, 1 / 3, 4] as const, mask: undefined },
  ];
  assert.deepEqual(parseResults(resultsText(detections), 'd.json', instances, 'box'), detections);
  const [boxAlone] = JSON.parse(resultsText(detections.slice(1)));
  const empty = JSON.stringify([{ ...boxAlone, segmentation: [] }]);
  assert.deepEqual(parseResults(empty, 'd.json', instances, 'box'), detections.slice(1));
  assert.deepEqual(parseResults(resultsText([]), 'd.json', instances, 'mask'), []);
  const wrong: [string, RegExp][] = [
    ['{}', /not a list/],
    [resultsText([{ ...detections[0], image: 8 }]), /detection 0: image_id 8/],
    [resultsText([{ ...detections[0], category: 1 }]), /category_id 1/],
    [resultsText([{ ...detections[0], score: Number.NaN }]), /score/],
    [resultsText([{ ...detections[0], mask: { ...mask, height: 5 } }]), /\[10, 20\]/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(() => parseResults(text, 'd.json', instances, 'box'), message);
  }
  assert.throws(
    () => parseResults(resultsText(detections), 'd.json', instances, 'mask'),
    /detection 1: .*no segmentation/,
  );
});
