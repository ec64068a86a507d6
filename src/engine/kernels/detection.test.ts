import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { encodeMask } from '../../coco/run-length.js';
import { lossAndGradients } from '../gradients.js';
import { kernels } from '../kernel-table.js';
import { loadEngine, tf } from '../load.js';
import * as ops from '../ops/detection.js';
import { TruthKind } from '../ops/detection.js';

interface RoiCase {
  channels: number;
  height: number;
  width: number;
  count: number;
  size: number;
  sampling: number;
  aligned: boolean;
  y: number[];
  dx: number[];
}
const fixture: {
  roiAlign: RoiCase[];
  nms: { count: number; threshold: number; grouped: number[]; one: number[] }[];
  match: { count: number; objects: number; low: number; high: number; best: boolean; match: number[] }[];
  masks: {
    height: number;
    width: number;
    objects: number;
    count: number;
    size: number;
    aligned: boolean;
    y: number[];
  }[];
} = JSON.parse(readFileSync('src/engine/kernels/fixtures/detection.json', 'utf8'));

// The inputs of fixtures/detection.py.
const wave = (count: number, step: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * step + step));
function boxesOf(count: number, side: number, seed: number): Float32Array {
  let state = seed;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const rows = Array.from({ length: count }, () => {
    const [a, b, c, d] = [draw(), draw(), draw(), draw()];
    const [x, y] = [a * side * 1.2 - side * 0.1, b * side * 1.2 - side * 0.1];
    return [x, y, x + c ** 2 * side, y + d ** 2 * side];
  });
  return Float32Array.from(rows.flat());
}
const int32 = (values: ArrayLike<number>, shape: number[]) =>
  tf.tensor(Int32Array.from(values), shape, 'int32');
const values = (tensor: Tensor) => Array.from(tensor.dataSync() as Float32Array);

function assertNear(actual: number[], expected: number[], tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (const [i, value] of actual.entries()) {
    if (!(Math.abs(value - expected[i]) <= tolerance))
      assert.fail(`${what}, element ${i}: ${value}, not ${expected[i]}`);
  }
}

for (const use of ['kernels', 'definitions'] as const)
  describe(`detection's ${use} agree with torchvision's`, () => {
    before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true }));

    const roiAlign = (maps: Tensor[], options: ops.RoiAlignOptions) =>
      ops.roiAlign(maps, options, kernels(use));
    const suppress = (boxes: Tensor, scores: Tensor, group: Tensor, options: ops.SuppressionOptions) =>
      ops.suppress(boxes, scores, group, options, kernels(use));
    const matchBoxes = (boxes: Tensor, truth: Tensor, kind: Tensor, options: ops.MatchOptions) =>
      ops.matchBoxes(boxes, truth, kind, options, kernels(use));
    const sampleMatches = (match: Tensor, seed: Tensor, options: { count: number; mostPositive: number }) =>
      ops.sampleMatches(match, seed, options, kernels(use));
    const maskTargets = (runs: Tensor, start: Tensor, options: ops.MaskTargetOptions) =>
      ops.maskTargets(runs, start, options, kernels(use));

    for (const [index, testCase] of fixture.roiAlign.entries()) {
      const { channels, height, width, count, size, sampling, aligned, y, dx } = testCase;
      const options = () => ({
        boxes: tf.tensor(boxesOf(count, (16 * Math.max(height, width)) / 2, 11 + count), [count, 4]),
        image: int32(
          Array.from({ length: count }, (_, i) => i % 2),
          [count],
        ),
        scales: [1 / 8],
        size,
        sampling,
        aligned,
      });
      it(`RoIAlign ${index}: ${count} boxes, ${channels} channels, sampling ${sampling}, aligned ${aligned}`, () => {
        const x = tf.tensor(wave(2 * channels * height * width, 0.37), [2, height, width, channels]);
        const weight = tf.tensor(wave(y.length, 0.71), [count, size, size, channels]);
        const level = int32(new Int32Array(count), [count]);
        const align = (map: Tensor) => roiAlign([map], { ...options(), level });
        assertNear(values(align(x)), y, 1e-5, 'y');
        const { gradients } = lossAndGradients(() => align(x).mul(weight).sum(), [x]);
        assertNear(values(gradients[0]), dx, 1e-4, 'dx');
      });
      it(`RoIAlign ${index} from two levels is each level's own, and none where the level is −1`, () => {
        const shape: [number, number, number, number] = [2, height, width, channels];
        const maps = [0.37, 0.53].map((step) => tf.tensor(wave(2 * channels * height * width, step), shape));
        const levels = Int32Array.from({ length: count }, (_, i) => (i % 3) - 1);
        const scales = [1 / 8, 1 / 8];
        const both = roiAlign(maps, { ...options(), scales, level: int32(levels, [count]) });
        const each = maps.map((map) =>
          roiAlign([map], { ...options(), level: int32(new Int32Array(count), [count]) }),
        );
        const expected = both.clone().arraySync() as number[][][][];
        const singles = each.map((tensor) => tensor.arraySync() as number[][][][]);
        for (const [roi, at] of levels.entries()) {
          if (at >= 0) assert.deepEqual(expected[roi], singles[at][roi]);
          else assert.ok(expected[roi].flat(2).every((value) => value === 0));
        }
      });
    }

    for (const { count, threshold, grouped, one } of fixture.nms) {
      it(`suppression of ${count} boxes at ${threshold}, ties among the scores`, () => {
        const boxes = tf.tensor(boxesOf(count, 100, 5), [1, count, 4]);
        const scores = tf.tensor(
          Float32Array.from({ length: count }, (_, i) => ((i * 37) % 8) / 8),
          [1, count],
        );
        const group = (groups: number) =>
          int32(
            Array.from({ length: count }, (_, i) => (i * 7) % groups),
            [1, count],
          );
        for (const [groups, expected] of [
          [3, grouped],
          [1, one],
        ] as const) {
          const limit = count + 3;
          const result = suppress(boxes, scores, group(groups), { threshold, minScore: -1, limit });
          const padding = Array(limit - expected.length).fill(-1);
          assert.deepEqual(values(result.kept), [...expected, ...padding]);
          assert.deepEqual(values(result.valid), [expected.length]);
          const few = suppress(boxes, scores, group(groups), { threshold, minScore: -1, limit: 2 });
          assert.deepEqual(values(few.kept), [...expected, -1, -1].slice(0, 2));
        }
      });
    }

    it('suppression leaves out low scores and NaN, and drops a box at the threshold when that is inclusive', () => {
      const boxes = tf.tensor(
        [
          [0, 0, 10, 10],
          [0, 0, 10, 20],
          [50, 0, 60, 10],
          [90, 0, 99, 9],
        ].flat(),
        [1, 4, 4],
      );
      const scores = tf.tensor([0.9, 0.8, Number.NaN, 0.1], [1, 4]);
      const group = int32([0, 0, 0, 0], [1, 4]);
      const kept = (inclusive: boolean) =>
        values(suppress(boxes, scores, group, { threshold: 0.5, inclusive, minScore: 0.1, limit: 4 }).kept);
      assert.deepEqual(kept(false), [0, 1, -1, -1]);
      assert.deepEqual(kept(true), [0, -1, -1, -1]);
    });

    for (const { count, objects, low, high, best, match } of fixture.match) {
      it(`matching ${count} boxes with ${objects} objects, low ${low}, high ${high}`, () => {
        const candidates = boxesOf(count, 60, 3);
        const truth = boxesOf(objects, 60, 9);
        truth.set(candidates.subarray(0, 4), 4 * (objects - 1));
        // Two images: the second one's objects stand behind a place that holds none.
        const empty = new Float32Array(4);
        const all = Float32Array.from([...truth, ...empty, ...empty, ...truth]);
        const kinds = [
          ...Array(objects).fill(TruthKind.object),
          0,
          0,
          ...Array(objects).fill(TruthKind.object),
        ];
        const result = matchBoxes(
          tf.tensor(candidates, [count, 4]),
          tf.tensor(all, [2, objects + 1, 4]),
          int32(kinds, [2, objects + 1]),
          { low, high, bestOfEach: best, crowdOverlap: 0.7 },
        );
        const shifted = match.map((value) => (value < 0 ? value : value + 1));
        assert.deepEqual(values(result), [...match, ...shifted]);
      });
    }

    it('without objects all is background; what lies in a crowd is ignored, unless it is an object’s', () => {
      const boxes = tf.tensor(
        [
          [0, 0, 4, 4],
          [10, 10, 14, 14],
          [13, 10, 22, 14],
        ].flat(),
        [3, 4],
      );
      const match = (truth: number[][], kinds: number[], bestOfEach = true) => {
        const options = { low: 0.3, high: 0.7, bestOfEach, crowdOverlap: 0.7 };
        return values(
          matchBoxes(
            boxes,
            tf.tensor(truth.flat(), [1, truth.length, 4]),
            int32(kinds, [1, kinds.length]),
            options,
          ),
        );
      };
      assert.deepEqual(match([[0, 0, 4, 4]], [0]), [-1, -1, -1]);
      assert.deepEqual(match([[10, 10, 20, 20]], [2]), [-1, -2, -2]);
      assert.deepEqual(
        match(
          [
            [10, 10, 20, 20],
            [10, 10, 14, 13],
          ],
          [2, 1],
        ),
        [-1, 1, -2],
      );
      // An object that nothing overlaps has no candidate that is closest.
      assert.deepEqual(match([[40, 40, 44, 44]], [1]), [-1, -1, -1]);
    });

    it('sampling takes what is asked for, from the seed alone, objects first', () => {
      const match = Int32Array.from({ length: 2000 }, (_, i) =>
        i % 10 === 0 ? i % 7 : (i % 3) - 2 === 0 ? -2 : -1,
      );
      const run = (seed: number[], count: number, mostPositive: number) => {
        const two = Int32Array.from([...match, ...match]);
        const result = sampleMatches(int32(two, [2, 2000]), int32(seed, [2]), { count, mostPositive });
        return {
          chosen: result.chosen.arraySync() as number[][],
          positives: values(result.positives),
          total: values(result.total),
        };
      };
      const { chosen, positives, total } = run([1, 2], 256, 64);
      assert.deepEqual(
        [positives, total],
        [
          [64, 64],
          [256, 256],
        ],
      );
      for (const image of chosen) {
        assert.equal(new Set(image).size, 256);
        assert.ok(image.slice(0, 64).every((i) => match[i] >= 0));
        assert.ok(image.slice(64).every((i) => match[i] === -1));
      }
      assert.notDeepEqual(chosen[0], chosen[1]);
      assert.deepEqual(run([1, 2], 256, 64).chosen, chosen);
      assert.notDeepEqual(run([1, 3], 256, 64).chosen, chosen);
      const all = run([1, 2], 4000, 4000);
      assert.equal(all.positives[0], 200);
      assert.deepEqual(all.chosen[0].slice(all.total[0]), Array(4000 - all.total[0]).fill(-1));
      // Each candidate is drawn about as often as any other.
      const counts = new Float64Array(2000);
      for (let seed = 0; seed < 400; seed++) for (const i of run([seed, 0], 256, 64).chosen[0]) counts[i]++;
      const positive = [...counts].filter((_, i) => match[i] >= 0).map((drawn) => drawn / 400);
      assert.ok(
        Math.max(...positive) < 0.45 && Math.min(...positive) > 0.2,
        `${Math.min(...positive)} to ${Math.max(...positive)}`,
      );
    });

    for (const { height, width, objects, count, size, aligned, y } of fixture.masks) {
      it(`${aligned ? 'aligned ' : ''}mask targets of ${size} × ${size} from images of ${height} × ${width} with ${objects} objects`, () => {
        const masks = Array.from({ length: objects }, (_, k) =>
          encodeMask(
            Uint8Array.from({ length: height * width }, (_, i) =>
              Number(
                ((i % width) - ((9 * k) % width)) ** 2 + (Math.floor(i / width) - ((7 * k) % height)) ** 2 <
                  (5 + 3 * (k % 3)) ** 2,
              ),
            ),
            height,
            width,
          ),
        );
        const runs = masks.flatMap(({ counts }) => [...counts]);
        const start = [0];
        for (const { counts } of masks) start.push(start.at(-1)! + counts.length);
        const boxes = Float32Array.from([...boxesOf(count, 20, 21), 0, 0, 9, 9]);
        const result = maskTargets(
          int32([...runs, 7, 7], [1, runs.length + 2]),
          int32(start, [1, objects + 1]),
          {
            boxes: tf.tensor(boxes, [count + 1, 4]),
            image: int32(new Int32Array(count + 1), [count + 1]),
            object: int32([...Array.from({ length: count }, (_, i) => i % objects), -1], [count + 1]),
            size,
            height,
            width,
            aligned,
          },
        );
        assertNear(values(result), [...y, ...Array(size * size).fill(0)], 1e-5, 'target');
      });
    }
  });
