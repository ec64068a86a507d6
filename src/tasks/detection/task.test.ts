import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { parseConfig } from '../../config/load.js';
import { EagerProgram } from '../../engine/eager.js';
import { CompiledProgram } from '../../engine/graph/compiled.js';
import { kernels } from '../../engine/kernel-table.js';
import { loadEngine } from '../../engine/load.js';
import type { Program } from '../../engine/program.js';
import type { Batch } from '../../input/batch.js';
import { formulaValues } from '../../models/testing/formula.js';
import { withOptimizerSlots } from '../../runs/optimizer-slots.js';
import { defineEvaluation } from '../../training/evaluation.js';
import type { Network } from '../../training/network.js';
import { defineTraining } from '../../training/step.js';
import { loadTask } from '../index.js';
import {
  batchOf,
  c4,
  networkOf,
  type Objects,
  object,
  pyramid,
  side,
  usual,
} from './testing/small-detector.js';

interface Stepped {
  loss: number;
  logged: Record<string, number>;
  values: Record<string, { data: Float32Array }>;
  found: Record<string, Float32Array>;
}

function step(
  network: Network,
  batch: Batch,
  make: (initial: ReturnType<typeof withOptimizerSlots>) => Program,
): Stepped {
  const program = make(withOptimizerSlots(network.variables, formulaValues(network.variables)));
  const trainOn = defineTraining(program, network);
  const evaluate = defineEvaluation(program, network, [2]);
  const found = evaluate(batch, 2);
  const { loss, logged } = trainOn(batch, 0.01, { step: 3, fractionDone: 0 });
  const values = program.read();
  program.dispose();
  return { loss, logged, values, found };
}

function assertLogged(actual: Stepped, expected: Stepped): void {
  for (const [name, value] of Object.entries(expected.logged)) {
    const difference = Math.abs(actual.logged[name] - value);
    assert.ok(difference <= 1e-5 * value, `${name}: ${actual.logged[name]}, not ${value}`);
  }
}
const compiled = (initial: ReturnType<typeof withOptimizerSlots>) => new CompiledProgram(initial);

describe("a detector's step", () => {
  before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true }));

  for (const [neck, model] of Object.entries({ pyramid, c4 })) {
    it(`${neck}: gives the same bits twice, and others from another seed`, async () => {
      const network = await networkOf(model);
      const batch = batchOf(network, usual);
      const first = step(network, batch, compiled);
      assert.deepEqual(step(network, batch, compiled), first);
      const other = step(await networkOf(model, 'seed: 2\n'), batch, compiled);
      assert.notEqual(other.logged.proposalScore, first.logged.proposalScore);
      assert.notEqual(other.logged.class, first.logged.class);
      assert.deepEqual(other.found, first.found);
    });

    it(`${neck}: computes the same operation by operation`, async () => {
      const network = await networkOf(model);
      const batch = batchOf(network, usual);
      const [actual, expected] = [compiled, (initial: never) => new EagerProgram(initial)].map((make) =>
        step(network, batch, make as typeof compiled),
      );
      assertLogged(actual, expected);
      assert.ok(Object.values(expected.logged).every((value) => value > 0));
      const sum = Object.values(expected.logged).reduce((total, value) => total + value, 0);
      assert.ok(Math.abs(expected.loss - sum) <= 1e-5 * sum);
      assert.deepEqual(Object.keys(expected.logged), [
        'proposalScore',
        'proposalBox',
        'class',
        'box',
        'mask',
      ]);
    });
  }

  it('is trained by the definitions, as where there are no kernels', async () => {
    const [actual, expected] = await Promise.all(
      [{}, kernels('kernels')].map(async (use) => {
        const network = await networkOf(pyramid, '', use);
        return step(
          network,
          batchOf(network, usual),
          (initial) => new CompiledProgram(initial, { kernels: use }),
        );
      }),
    );
    assertLogged(actual, expected);
  });

  for (const [what, objects] of Object.entries({
    'no objects': [[], []],
    'crowds alone': [[{ box: [0, 0, 64, 64], class: 1, kind: 2 }], []],
    'objects without an area': [
      [
        { box: [10, 10, 10, 30], class: 1, kind: 1 },
        { box: [5, 5, 5, 5], class: 2, kind: 1, runs: [side * side] },
      ],
      [{ box: [64, 64, 64, 64], class: 3, kind: 1 }],
    ],
    'objects without masks': [[{ box: [4, 6, 30, 28], class: 1, kind: 1 }], []],
    'as many objects as there may be': [Array(8).fill(object([4, 6, 30, 28], 1)), usual[1]],
  } satisfies Record<string, Objects[]>)) {
    it(`stays finite with ${what}`, async () => {
      const network = await networkOf(pyramid);
      const { loss, logged, values, found } = step(network, batchOf(network, objects), compiled);
      assert.ok(Number.isFinite(loss));
      if (what === 'no objects' || what === 'crowds alone') {
        assert.deepEqual([logged.proposalBox, logged.box, logged.mask], [0, 0, 0]);
      }
      if (what === 'objects without masks') assert.equal(logged.mask, 0);
      for (const [name, { data }] of Object.entries(values)) {
        assert.ok(data.every(Number.isFinite), name);
      }
      for (const [name, data] of Object.entries(found)) assert.ok(data.every(Number.isFinite), name);
    });
  }

  it('needs data with boxes', async () => {
    const text = 'model: mask-rcnn\nnormalizer: group\ndata: cifar10\n';
    await assert.rejects(loadTask(parseConfig(text, { file: 'test.yaml' })), {
      message: /mask-rcnn needs images with boxes, and cifar10 has none/,
      fix: /coco .* or shapes/,
    });
  });
});
