import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { parseConfig } from '../../config/load.js';
import { EagerProgram } from '../../engine/eager.js';
import { CompiledProgram } from '../../engine/graph/compiled.js';
import { kernels } from '../../engine/kernel-table.js';
import { loadEngine } from '../../engine/load.js';
import type { Program } from '../../engine/program.js';
import type { Batch } from '../../input/batch.js';
import { describeModel } from '../../models/describe.js';
import { createModel } from '../../models/index.js';
import { formulaValue, formulaValues } from '../../models/testing/formula.js';
import { withOptimizerSlots } from '../../runs/optimizer-slots.js';
import { defineEvaluation } from '../../training/evaluation.js';
import type { Network } from '../../training/network.js';
import { defineTraining } from '../../training/step.js';
import { loadTask } from '../index.js';

const side = 64;
const small = 'neckChannels: 16, headChannels: 16, denseUnits: 32, maskConvolutions: 1';
const few =
  'proposals: {channels: 16, perImage: 32, candidates: {train: 40, test: 30}, kept: {train: 30, test: 20}}, regions: {perImage: 16}, detections: {most: 5, minScore: 0}';
const pyramid = `{name: mask-rcnn, backbone: resnet18, anchors: {sizes: [8, 16, 32, 64, 128]}, ${small}, ${few}}`;
const c4 = `{name: mask-rcnn, neck: c4, backbone: resnet18, anchors: {sizes: [16, 32]}, ${small}, ${few}}`;

async function networkOf(model: string, more = ''): Promise<Network> {
  const text = `model: ${model}\nnormalizer: {name: group, groups: 8}\ndata: {name: shapes, side: ${side}}\nbatch: {size: 2}\n${more}`;
  const config = parseConfig(text, { file: 'test.yaml' });
  const { task } = await loadTask(config);
  const shape = [side, side, 3];
  const created = createModel(config.model, 3);
  const { variables } = describeModel(created, config.normalizer, { shape });
  return { config, model: created, task, variables, shape, kernels: kernels('kernels') };
}

type Objects = { box: number[]; class: number; kind: number; runs?: number[] }[];

/** Two images with these objects. */
function batchOf({ task, shape }: Network, objects: Objects[]): Batch {
  const batch: Batch = { images: formulaValue('images0', [2, ...shape]).data };
  for (const [name, { shape: one, dtype }] of Object.entries(task.targets)) {
    const length = 2 * one.reduce((product, extent) => product * extent, 1);
    batch[name] = dtype === 'int32' ? new Int32Array(length) : new Float32Array(length);
  }
  const most = batch.valid.length / 2;
  for (const [image, all] of objects.entries()) {
    batch.size.set([side, side], 2 * image);
    batch.image[image] = image;
    let used = 0;
    for (let row = 0; row < most; row++) {
      const { box, class: label, kind, runs = [] } = all[row] ?? { box: [0, 0, 0, 0], class: 0, kind: 0 };
      const at = image * most + row;
      batch.boxes.set(box, 4 * at);
      batch.classes[at] = label;
      batch.kind[at] = kind;
      batch.valid[at] = row < all.length ? 1 : 0;
      batch.runs.set(runs, image * (batch.runs.length / 2) + used);
      used += runs.length;
      batch.start[image * (most + 1) + row + 1] = used;
    }
  }
  return batch;
}

/** A box's pixels as runs down the columns of the canvas. */
function runsOf([left, top, right, bottom]: number[]): number[] {
  const runs: number[] = [left * side + top];
  for (let x = left; x < right; x++) runs.push(bottom - top, side - (bottom - top));
  runs[runs.length - 1] = side * side - (right - 1) * side - bottom;
  return runs;
}
const object = (box: number[], label: number) => ({ box, class: label, kind: 1, runs: runsOf(box) });
const usual: Objects[] = [
  [object([4, 6, 30, 28], 1), object([33, 20, 60, 62], 2)],
  [object([10, 12, 22, 20], 3)],
];

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
      for (const [name, value] of Object.entries(expected.logged)) {
        const difference = Math.abs(actual.logged[name] - value);
        assert.ok(difference <= 1e-5 * value, `${name}: ${actual.logged[name]}, not ${value}`);
      }
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
