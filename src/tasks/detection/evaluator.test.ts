import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import sharp from 'sharp';
import { type Instances, instanceMask } from '../../coco/instances.js';
import { categoryColour } from '../../coco/picture.js';
import { parseResults } from '../../coco/results-file.js';
import { decodeMask } from '../../coco/run-length.js';
import { scoreInstances } from '../../coco/score-instances.js';
import { openShapes } from '../../datasets/detection/index.js';
import { drawScene, sceneCategories } from '../../datasets/scenes.js';
import { detectionEvaluator } from './evaluator.js';
import { detectionMetrics } from './metrics.js';
import { pasteMask } from './paste-mask.js';

interface Case {
  size: number;
  height: number;
  width: number;
  box: number[];
  mask: string;
}
const fixture: { cases: Case[] } = JSON.parse(
  readFileSync('src/tasks/detection/fixtures/paste-mask.json', 'utf8'),
);

test('masks are pasted as grid_sample does it, beyond the border and into boxes below a pixel too', () => {
  for (const { size, height, width, box, mask } of fixture.cases) {
    const values = Array.from({ length: size * size }, (_, i) => 0.5 + 0.5 * Math.sin(i * 0.7 + 0.7));
    const pasted = pasteMask(values, size, box, { height, width });
    assert.equal(decodeMask(pasted).join(''), mask, `${size} into ${box}`);
    assert.equal(
      pasted.counts.reduce((sum, run) => sum + run, 0),
      height * width,
    );
    assert.ok(
      pasted.counts.every((run, index) => run > 0 || index === 0),
      `${pasted.counts}`,
    );
  }
  assert.deepEqual([...pasteMask([1], 1, [-9, -9, 19, 19], { height: 3, width: 2 }).counts], [0, 6]);
});

test('the truth on a canvas of twice the size scores 100 points; a class without objects is said to have none', async () => {
  const { validation } = openShapes({
    name: 'shapes',
    side: 64,
    trainImages: 1,
    valImages: 6,
    validation: 'test',
    flip: true,
  });
  const drawn = validation.truth!;
  const truth = { ...drawn, categories: [...drawn.categories, { id: 9, name: 'absent' }] };
  const [most, side] = [8, 28];
  const evaluator = detectionEvaluator(truth, ['box', 'mask']);
  const rows = 3;
  for (let first = 0; first < 6; first += rows) {
    const predictions = {
      boxes: new Float32Array(rows * most * 4),
      scores: new Float32Array(rows * most),
      classes: new Float32Array(rows * most),
      valid: new Float32Array(rows * most),
      masks: new Float32Array(rows * most * side * side),
    };
    for (let row = 0; row < rows; row++) {
      const image = truth.images[first + row];
      const own = truth.objects.filter((object) => object.image === image.id);
      for (const [index, object] of own.entries()) {
        const at = row * most + index;
        const [x, y, w, h] = object.box;
        predictions.boxes.set([2 * x, 2 * y, 2 * (x + w), 2 * (y + h)], at * 4);
        predictions.scores[at] = 0.9;
        predictions.classes[at] = object.category;
        predictions.valid[at] = 1;
        const mask = decodeMask(instanceMask(object, image)!);
        for (let i = 0; i < side * side; i++) {
          const column = Math.min(63, Math.floor(x + (((i % side) + 0.5) / side) * w));
          const line = Math.min(63, Math.floor(y + ((Math.floor(i / side) + 0.5) / side) * h));
          predictions.masks[at * side * side + i] = mask[line * 64 + column];
        }
      }
    }
    const targets = {
      image: Int32Array.from({ length: rows }, (_, row) => first + row),
      size: new Float32Array(rows * 2).fill(128),
    };
    evaluator.add(predictions, targets, rows);
  }
  const found = evaluator.result();
  assert.equal(found.boxAP, 100);
  assert.ok(found.maskAP50 === 100 && found.maskAP > 85, `mask AP ${found.maskAP}`);
  assert.ok(!('boxAPlarge' in found));
  const names = detectionMetrics(['box', 'mask']).map(({ name }) => name);
  assert.ok(Object.keys(found).every((name) => names.includes(name)));
  const files = (await evaluator.files!()) as Record<string, string>;
  assert.deepEqual(Object.keys(files), ['detections.json', 'average-precision.json']);
  const written = parseResults(files['detections.json'], 'detections.json', truth, 'mask');
  assert.equal(written.length, truth.objects.length);
  assert.equal(scoreInstances('mask', truth, written).AP! * 100, found.maskAP);
  const { box } = JSON.parse(files['average-precision.json']);
  assert.deepEqual(box.perCategory.at(-1), {
    name: 'absent',
    category: 9,
    objects: 0,
    AP: 'no object',
    AP50: 'no object',
  });
});

test('pictures show the truth beside what was found, at the size of the images', async () => {
  const { pixels, objects } = drawScene(2, 0, 64);
  const truth: Instances = {
    images: [{ id: 1, file: 'a', width: 64, height: 64 }],
    categories: sceneCategories.map((name, index) => ({ id: index + 1, name })),
    objects: objects.map(({ mask, ...object }, index) => ({
      ...object,
      id: index + 1,
      image: 1,
      crowd: false,
      segmentation: { counts: mask.counts },
    })),
    skipped: [],
    withoutArea: [],
  };
  // The scene in the upper left corner of a canvas of 96 × 128.
  const canvas = new Uint8Array(96 * 128 * 3).fill(7);
  for (let y = 0; y < 64; y++) canvas.set(pixels.subarray(y * 64 * 3, (y + 1) * 64 * 3), y * 128 * 3);
  const evaluator = detectionEvaluator(truth, ['box'], [{ height: 96, width: 128 }]);
  const predictions = {
    boxes: Float32Array.of(8, 8, 40, 40),
    scores: Float32Array.of(0.9),
    classes: Int32Array.of(1),
    valid: Float32Array.of(1),
  };
  const targets = {
    images: canvas,
    image: Int32Array.of(0),
    size: Float32Array.of(64, 64),
    canvas: Int32Array.of(0),
  };
  evaluator.add(predictions, targets, 1);
  const { 'examples.webp': picture } = await evaluator.files!();
  const { data, info } = await sharp(picture).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  // Five times as large, as 64 pixels are too few to look at.
  assert.deepEqual([info.width, info.height], [320 + 6 + 320, 320]);
  const at = (x: number, y: number) => [
    ...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3),
  ];
  const distance = (a: readonly number[], b: readonly number[]) =>
    Math.hypot(...a.map((value, c) => value - b[c]));
  assert.ok(distance(at(323, 160), [255, 255, 255]) < 30, 'a gap');
  /** The category whose colour is the nearest to that of a pixel of the truth or of the found, or 0 for the scene's own. */
  const seenAt = (half: 'truth' | 'found', x: number, y: number) => {
    const seen = at((half === 'truth' ? 0 : 326) + 5 * x + 2, 5 * y + 2);
    const scene = pixels.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3);
    const distances = [[...scene], ...sceneCategories.map((_, number) => categoryColour(number))].map(
      (colour) => distance(seen, colour),
    );
    return distances.indexOf(Math.min(...distances));
  };
  // The upper edge of the box that was found, and the left one of the first object's.
  const [found, there] = [
    [24, 8],
    [objects[0].box[0], Math.round(objects[0].box[1] + objects[0].box[3] / 2)],
  ];
  assert.deepEqual([seenAt('truth', found[0], found[1]), seenAt('found', found[0], found[1])], [0, 1]);
  assert.deepEqual(
    [seenAt('truth', there[0], there[1]), seenAt('found', there[0], there[1])],
    [objects[0].category, 0],
  );
});
