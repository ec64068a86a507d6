/** Losses, gradients and detections of whole detectors against torchvision's; see fixtures/rcnn.py. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { encodeMask } from '../../coco/run-length.js';
import { parseConfig } from '../../config/load.js';
import { CompiledProgram } from '../../engine/graph/compiled.js';
import { kernels } from '../../engine/kernel-table.js';
import { loadEngine } from '../../engine/load.js';
import type { VariableValue } from '../../engine/program.js';
import type { Batch } from '../../input/batch.js';
import { describeModel } from '../../models/describe.js';
import { createModel } from '../../models/index.js';
import { acrossKinks, assertSummary, type TensorSummary } from '../../models/testing/compare.js';
import { formulaValue, publishedValue } from '../../models/testing/formula.js';
import { withOptimizerSlots } from '../../runs/optimizer-slots.js';
import { defineEvaluation } from '../../training/evaluation.js';
import type { Network } from '../../training/network.js';
import { defineTraining } from '../../training/step.js';
import { fromPublished, toPublished } from '../../weights/published-weights.js';
import { loadTask } from '../index.js';
import type { Task } from '../task.js';

interface Case {
  depth: number;
  norm: 'frozen-batch' | 'group';
  box_head: string;
  masks: boolean;
  predicted: number;
  imagesName: string;
  parameters: number;
  objects: { box: [number, number, number, number]; label: number }[][];
  shapes: Record<string, number[]>;
  losses: Record<string, number>;
  gradients: Record<string, Record<string, TensorSummary>>;
  detections: { boxes: number[]; scores: number[]; labels: number[]; masks?: TensorSummary[] }[];
}
const fixture: {
  height: number;
  width: number;
  sizes: [number, number][];
  classes: number;
  channels: number;
  denseUnits: number;
  cases: Case[];
} = JSON.parse(readFileSync('src/tasks/detection/fixtures/rcnn.json', 'utf8'));
const { height, width, sizes, classes, channels, denseUnits } = fixture;

/** Layers whose weights are a part of the formula's. */
const predicting =
  /^(rpn\.head\.(cls_logits|bbox_pred)|roi_heads\.(box_predictor|mask_predictor\.mask_fcn_logits))/;

async function networkOf({ depth, norm, box_head, masks }: Case): Promise<Network> {
  const normalizer =
    norm === 'group' ? '{name: group, groups: 8}' : '{name: none, parts: {backbone: {name: frozen-batch}}}';
  // All anchors and all proposals are learnt from.
  const text = `
model:
  name: ${masks ? 'mask-rcnn' : 'faster-rcnn'}
  backbone: resnet${depth}
  boxHead: ${box_head}
  neckChannels: ${channels}
  headChannels: ${channels}
  denseUnits: ${denseUnits}
  ${masks ? 'maskConvolutions: 2' : ''}
  anchors: { sizes: [8, 16, 32, 64, 128], border: keep }
  proposals: { perImage: 40000, candidates: { train: 60, test: 50 }, kept: { train: 40, test: 30 } }
  regions: { perImage: 64, positive: 1, smoothL1: ${1 / 9} }
  detections: { most: 12 }
  pooling: { alignedMasks: false }
normalizer: ${normalizer}
data: { name: shapes, side: 96 }
init: { weights: theirs }
batch: { size: 2 }
optimizer: { weightDecay: 0 }
`;
  const config = parseConfig(text, { file: 'test.yaml' });
  const { task } = await loadTask(config);
  const model = createModel(config.model, classes);
  const shape = [height, width, 3];
  const { variables } = describeModel(model, config.normalizer, { shape });
  return { config, model, task, variables, shape, kernels: kernels('kernels') };
}

/** The images, with nothing but the mean beside each on its canvas, and their objects, whose masks are ellipses. */
function batchOf({ task }: Network, { imagesName, objects }: Case): Batch {
  const images = formulaValue(imagesName, [2, height, width, 3]).data as Float32Array;
  const batch: Batch = { images };
  for (const [name, { shape, dtype }] of Object.entries(task.targets)) {
    const length = 2 * shape.reduce((product, extent) => product * extent, 1);
    batch[name] = dtype === 'int32' ? new Int32Array(length) : new Float32Array(length);
  }
  const most = batch.valid.length / 2;
  for (const [image, [rows, columns]] of sizes.entries()) {
    for (let pixel = 0; pixel < height * width; pixel++) {
      if (Math.floor(pixel / width) < rows && pixel % width < columns) continue;
      images.fill(0, (image * height * width + pixel) * 3, (image * height * width + pixel + 1) * 3);
    }
    batch.size.set([rows, columns], 2 * image);
    let used = 0;
    for (let row = 0; row < most; row++) {
      const object = objects[image][row];
      if (object) {
        const at = image * most + row;
        batch.boxes.set(object.box, 4 * at);
        batch.classes[at] = object.label;
        batch.kind[at] = 1;
        batch.valid[at] = 1;
        const { counts } = encodeMask(ellipse(object.box), height, width);
        batch.runs.set(counts, image * (batch.runs.length / 2) + used);
        used += counts.length;
      }
      batch.start[image * (most + 1) + row + 1] = used;
    }
  }
  return batch;
}

const ellipse = ([left, top, right, bottom]: readonly number[]) =>
  Uint8Array.from({ length: height * width }, (_, pixel) => {
    const u = (2 * ((pixel % width) + 0.5) - left - right) / (right - left);
    const v = (2 * (Math.floor(pixel / width) + 0.5) - top - bottom) / (bottom - top);
    return u * u + v * v < 1 ? 1 : 0;
  });

/** The task with one of its losses alone: the others count for nothing. */
const withLoss = (task: Task, name: string): Task => ({
  ...task,
  training(...of) {
    const { losses } = task.training(...of);
    const weighted = Object.entries(losses).map(([each, loss]) => [each, loss.mul(each === name ? 1 : 0)]);
    return { losses: Object.fromEntries(weighted) };
  },
});

for (const expected of fixture.cases) {
  const { depth, norm, box_head, masks } = expected;
  describe(`${masks ? 'Mask' : 'Faster'} R-CNN, ResNet-${depth}, ${norm}, ${box_head}, as torchvision has it`, () => {
    let network: Network;
    let values: Record<string, VariableValue>;
    let batch: Batch;
    const where = { library: 'torchvision', model: masks ? 'mask-rcnn' : 'faster-rcnn' } as const;

    before(async () => {
      await loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true });
      network = await networkOf(expected);
      batch = batchOf(network, expected);
      const file = Object.entries(expected.shapes).map(([name, shape]) => {
        const value = publishedValue(name, shape);
        if (predicting.test(name)) value.data = value.data.map((each) => each * expected.predicted);
        return [name, value] as const;
      });
      values = fromPublished(Object.fromEntries(file), network.variables, where, 'theirs');
    });

    it('its weights come in and go out as they were', () => {
      const there = toPublished(values, where, 0);
      const theirs = Object.keys(there).filter((name) => !name.endsWith('.num_batches_tracked'));
      assert.deepEqual(theirs.sort(), Object.keys(expected.shapes).sort());
      for (const [name, shape] of Object.entries(expected.shapes)) {
        const { data } = publishedValue(name, shape);
        const scale = predicting.test(name) ? expected.predicted : 1;
        assert.deepEqual(there[name].shape, shape);
        assert.ok(
          (there[name].data as Float32Array).every((value, at) => value === data[at] * scale),
          name,
        );
      }
    });

    for (const [name, loss] of Object.entries(expected.losses)) {
      it(`the loss ${name} and its gradients`, () => {
        const alone: Network = { ...network, task: withLoss(network.task, name) };
        const program = new CompiledProgram(withOptimizerSlots(network.variables, values));
        const found = defineTraining(program, alone)(batch, 1, { step: 0, fractionDone: 0 });
        assert.ok(Math.abs(found.loss - loss) <= 1e-4 * loss, `${found.loss}, not ${loss}`);
        const after = program.read();
        program.dispose();
        const gradients = Object.fromEntries(
          network.variables
            .filter(({ role, fixed }) => role !== 'statistic' && !fixed)
            .map(({ name: variable, shape }) => [
              variable,
              { shape, data: after[`${variable}.velocity`].data },
            ]),
        );
        const theirs = toPublished(gradients, where, 0);
        for (const [variable, summary] of Object.entries(expected.gradients[name])) {
          const { data } = theirs[variable];
          assertSummary(data as Float32Array, summary, acrossKinks, `gradient of ${variable}`);
        }
      });
    }

    it('what it finds in whole images', () => {
      const program = new CompiledProgram(values);
      const found = defineEvaluation(program, network, [2])(batch, 2);
      program.dispose();
      const most = found.valid.length / 2;
      for (const [image, { boxes, scores, labels, masks: maps }] of expected.detections.entries()) {
        const count = found.valid
          .subarray(image * most, (image + 1) * most)
          .reduce((sum, one) => sum + one, 0);
        assert.equal(count, labels.length);
        for (const [rank, label] of labels.entries()) {
          const at = image * most + rank;
          const what = `detection ${rank} of image ${image}`;
          assert.equal(found.classes[at], label, what);
          assert.ok(Math.abs(found.scores[at] - scores[rank]) <= 1e-4, `score of ${what}`);
          for (let side = 0; side < 4; side++) {
            const [own, theirs] = [found.boxes[4 * at + side], boxes[4 * rank + side]];
            assert.ok(Math.abs(own - theirs) <= 1e-2, `side ${side} of ${what}: ${own}, not ${theirs}`);
          }
          if (!maps) continue;
          const size = found.masks.length / found.valid.length;
          const mask = found.masks.subarray(at * size, (at + 1) * size);
          assertSummary(mask, maps[rank], { norm: 1e-3, typical: 1e-2 }, `mask of ${what}`);
        }
      }
    });
  });
}
