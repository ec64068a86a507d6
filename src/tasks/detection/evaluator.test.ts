import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { instanceMask } from '../../coco/instances.js';
import { parseResults } from '../../coco/results-file.js';
import { decodeMask } from '../../coco/run-length.js';
import { scoreInstances } from '../../coco/score-instances.js';
import { openShapes } from '../../datasets/detection/index.js';
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

test('the truth on a canvas of twice the size scores 100 points; a class without objects is said to have none', () => {
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
  const files = evaluator.files!();
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
