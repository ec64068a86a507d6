/** A mask head that has learnt its targets perfectly finds the true masks again: targets and pasting read pixels alike. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { encodeMask, maskBox, maskOverlap } from '../../coco/run-length.js';
import { loadEngine, tf } from '../../engine/load.js';
import { maskTargets } from '../../engine/ops/detection.js';
import { pasteMask } from './paste-mask.js';

describe('targets that are pasted into the image', () => {
  before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true }));

  const canvas = { height: 64, width: 64 };

  /** A disc of this diameter, its own box, and its target pasted back. */
  function roundTrip(diameter: number, aligned: boolean): number {
    const truth = encodeMask(
      Uint8Array.from({ length: canvas.height * canvas.width }, (_, i) => {
        const [x, y] = [(i % canvas.width) + 0.5, Math.floor(i / canvas.width) + 0.5];
        return Number((x - 30) ** 2 + (y - 30) ** 2 < (diameter / 2) ** 2);
      }),
      canvas.height,
      canvas.width,
    );
    const [left, top, width, height] = maskBox(truth);
    const box = [left, top, left + width, top + height];
    const one = (values: ArrayLike<number>, shape: number[]) =>
      tf.tensor(Int32Array.from(values as number[]), shape, 'int32');
    const targets = maskTargets(
      one(truth.counts, [1, truth.counts.length]),
      one([0, truth.counts.length], [1, 2]),
      {
        boxes: tf.tensor(box, [1, 4]),
        image: one([0], [1]),
        object: one([0], [1]),
        size: 28,
        ...canvas,
        aligned,
      },
    );
    return maskOverlap(pasteMask(targets.dataSync(), 28, box, canvas), truth, false);
  }

  for (const diameter of [8, 12, 16, 20, 32]) {
    it(`is the true mask, of a disc ${diameter} pixels wide`, () => {
      assert.equal(roundTrip(diameter, true), 1);
      assert.ok(roundTrip(diameter, false) < 0.97, 'half a pixel off');
    });
  }
});
