/** The kernels of detection against their definitions, within a compiled step: no objects, some, as many as fit. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { encodeMask } from '../../coco/run-length.js';
import { lossAndGradients } from '../gradients.js';
import { loadEngine } from '../load.js';
import { maskTargets, matchBoxes, roiAlign, sampleMatches, suppress, TruthKind } from '../ops/detection.js';
import { assertNear, both, generator, type Inputs } from './testing/compiled-step.js';

/** Boxes within an image, and some that reach beyond it. */
function boxesOf(count: number, [height, width]: readonly [number, number], seed: number): Float32Array {
  const draw = generator(seed);
  return Float32Array.from(
    Array.from({ length: count }, () => {
      const [x, y] = [draw() * width * 1.1 - width * 0.05, draw() * height * 1.1 - height * 0.05];
      return [x, y, x + draw() ** 3 * width * 0.9, y + draw() ** 3 * height * 0.9];
    }).flat(),
  );
}

const most = 100;
/** [objects, image's height and width]; the lists have room for `most`. */
const cases = [0, 1, 7, most].flatMap((objects) =>
  (
    [
      [61, 83],
      [97, 33],
    ] as const
  ).map((side) => ({ objects, side })),
);
const kindsOf = (objects: number) =>
  Array.from({ length: most }, (_, i) =>
    i >= objects ? TruthKind.none : i % 9 === 8 ? TruthKind.crowd : TruthKind.object,
  );

describe("detection's kernels and definitions give the same in a compiled step", () => {
  before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true }));

  for (const { objects, side } of cases) {
    const name = `${objects} of ${most} objects, images of ${side.join(' × ')}`;
    const candidates = 331;

    it(`matching and sampling, ${name}`, () => {
      const truth = [1, 2].flatMap((image) => [...boxesOf(most, side, 40 + image)]);
      const boxes = boxesOf(candidates, side, 3);
      // Some candidates are objects themselves.
      if (objects > 0) boxes.set(truth.slice(0, 4), 20);
      for (const shared of [true, false]) {
        for (const bestOfEach of [true, false]) {
          const inputs: Inputs = {
            boxes: shared
              ? { shape: [candidates, 4], data: boxes }
              : {
                  shape: [2, candidates, 4],
                  data: Float32Array.from([...boxes, ...boxesOf(candidates, side, 4)]),
                },
            truth: { shape: [2, most, 4], data: Float32Array.from(truth) },
            kind: { shape: [2, most], data: Int32Array.from([...kindsOf(objects), ...kindsOf(objects)]) },
            seed: { shape: [2], data: Int32Array.of(-7, 2 ** 31 - 1) },
          };
          const { own, definition } = both(inputs, (step, use) => {
            const options = { low: 0.3, high: 0.5, bestOfEach, crowdOverlap: 0.7 };
            const match = matchBoxes(step.feed('boxes'), step.feed('truth'), step.feed('kind'), options, use);
            const few = { count: 33, mostPositive: 11 };
            const drawn = sampleMatches(match, step.feed('seed'), few, use);
            const all = sampleMatches(match, step.feed('seed'), { count: 555, mostPositive: 555 }, use);
            const none = sampleMatches(match, step.feed('seed'), { count: 33, mostPositive: 0 }, use);
            return {
              match,
              ...drawn,
              all: all.chosen,
              allPositives: all.positives,
              allTotal: all.total,
              none: none.chosen,
            };
          });
          assert.deepEqual(definition, own);
          const positives = own.match.filter((match) => match >= 0).length;
          assert.equal(positives > 0, objects > 0, `${positives} positives`);
        }
      }
    });

    it(`mask targets, ${name}`, () => {
      const [height, width] = side;
      const masks = Array.from({ length: objects }, (_, k) =>
        encodeMask(
          Uint8Array.from({ length: height * width }, (_, i) =>
            Number(
              ((i % width) - ((7 * k + width / 2) % width)) ** 2 +
                (Math.floor(i / width) - ((5 * k + height / 2) % height)) ** 2 <
                3 * k + 200,
            ),
          ),
          height,
          width,
        ),
      );
      const room = most * 2 * Math.max(height, width);
      const runs = masks.flatMap(({ counts }) => [...counts]);
      const start = [0];
      for (let k = 0; k < most; k++) start.push(start.at(-1)! + (masks[k]?.counts.length ?? 0));
      const rois = 41;
      const object = Array.from({ length: rois }, (_, i) =>
        i % 5 === 4 || objects === 0 ? -1 : i % objects,
      );
      const inputs: Inputs = {
        runs: {
          shape: [2, room],
          data: Int32Array.from({ length: 2 * room }, (_, i) => runs[i - room] ?? 0),
        },
        start: { shape: [2, most + 1], data: Int32Array.from([...start.map(() => 0), ...start]) },
        boxes: { shape: [rois, 4], data: boxesOf(rois, side, 21) },
        image: { shape: [rois], data: new Int32Array(rois).fill(1) },
        object: { shape: [rois], data: Int32Array.from(object) },
      };
      for (const [size, aligned] of [
        [7, false],
        [28, false],
        [28, true],
      ] as const) {
        const { own, definition } = both(inputs, (step, use) => {
          const [boxes, image, of] = ['boxes', 'image', 'object'].map((each) => step.feed(each));
          const options = { boxes, image, object: of, size, height, width, aligned };
          return { targets: maskTargets(step.feed('runs'), step.feed('start'), options, use) };
        });
        assertNear(definition.targets, own.targets, 1e-5, 'targets');
        assert.equal(
          own.targets.some((value) => value > 0),
          objects > 0,
        );
      }
    });
  }

  for (const [rois, groups] of [
    [1, 1],
    [37, 5],
    [501, 80],
  ]) {
    it(`suppression of ${rois} boxes in ${groups} groups`, () => {
      const draw = generator(9);
      for (const minScore of [2, 0.05, -1]) {
        const inputs: Inputs = {
          boxes: { shape: [2, rois, 4], data: boxesOf(2 * rois, [61, 83], 5) },
          scores: {
            shape: [2, rois],
            data: Float32Array.from({ length: 2 * rois }, () => Math.floor(draw() * 50) / 50),
          },
          group: {
            shape: [2, rois],
            data: Int32Array.from({ length: 2 * rois }, (_, i) => (i * 7) % groups),
          },
        };
        for (const limit of [3, 2 * rois]) {
          const { own, definition } = both(inputs, (step, use) => {
            const [boxes, scores, group] = ['boxes', 'scores', 'group'].map((each) => step.feed(each));
            return { ...suppress(boxes, scores, group, { threshold: 0.5, minScore, limit }, use) };
          });
          assert.deepEqual(definition, own);
          assert.equal(own.valid[0] > 0, minScore < 1);
        }
      }
    });
  }

  for (const { rois, size, sampling, aligned } of [
    { rois: 1, size: 3, sampling: 2, aligned: false },
    { rois: 37, size: 7, sampling: 2, aligned: false },
    { rois: 37, size: 7, sampling: 0, aligned: true },
    { rois: 203, size: 5, sampling: 0, aligned: false },
  ]) {
    it(`RoIAlign of ${rois} boxes, size ${size}, sampling ${sampling}, aligned ${aligned}, and its gradients`, () => {
      const draw = generator(8);
      const wave = (count: number) => Float32Array.from({ length: count }, () => draw() * 2 - 1);
      const [channels, scales] = [19, [1 / 4, 1 / 8]];
      const shapes = [
        [2, 15, 21, channels],
        [2, 8, 11, channels],
      ];
      const inputs: Inputs = {
        first: { shape: shapes[0], data: wave(2 * 15 * 21 * channels) },
        second: { shape: shapes[1], data: wave(2 * 8 * 11 * channels) },
        weight: { shape: [rois, size, size, channels], data: wave(rois * size * size * channels) },
        boxes: { shape: [rois, 4], data: boxesOf(rois, [60, 84], 77) },
        image: { shape: [rois], data: Int32Array.from({ length: rois }, (_, i) => i % 2) },
        level: { shape: [rois], data: Int32Array.from({ length: rois }, (_, i) => ((i + 1) % 3) - 1) },
      };
      // A box that is not finite has no samples.
      if (rois > 1) inputs.boxes.data[5] = Number.POSITIVE_INFINITY;
      const { own, definition } = both(inputs, (step, use) => {
        const [boxes, image, level, weight] = ['boxes', 'image', 'level', 'weight'].map((each) =>
          step.feed(each),
        );
        const maps = [step.feed('first'), step.feed('second')];
        const options = { boxes, image, level, scales, size, sampling, aligned };
        const y = roiAlign(maps, options, use);
        const { gradients } = lossAndGradients(() => roiAlign(maps, options, use).mul(weight).sum(), maps);
        return { y, first: gradients[0], second: gradients[1] };
      });
      for (const output of ['y', 'first', 'second'])
        assertNear(definition[output], own[output], 1e-5, output);
      assert.ok(own.y.some((value) => value !== 0));
    });
  }
});
