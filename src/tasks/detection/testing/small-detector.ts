/** A detector small enough to be trained in a test, and two images with objects for it. */
import { parseConfig } from '../../../config/load.js';
import { type Kernels, kernels } from '../../../engine/kernel-table.js';
import type { Batch } from '../../../input/batch.js';
import { describeModel } from '../../../models/describe.js';
import { createModel } from '../../../models/index.js';
import { formulaValue } from '../../../models/testing/formula.js';
import type { Network } from '../../../training/network.js';
import { loadTask } from '../../index.js';

export const side = 64;
const small = 'neckChannels: 16, headChannels: 16, denseUnits: 32, maskConvolutions: 1';
const few =
  'proposals: {channels: 16, perImage: 32, candidates: {train: 40, test: 30}, kept: {train: 30, test: 20}}, regions: {perImage: 16}, detections: {most: 5, minScore: 0}';
export const pyramid = `{name: mask-rcnn, backbone: resnet18, anchors: {sizes: [8, 16, 32, 64, 128]}, ${small}, ${few}}`;
export const c4 = `{name: mask-rcnn, neck: c4, backbone: resnet18, anchors: {sizes: [16, 32]}, ${small}, ${few}}`;

export async function networkOf(
  model: string,
  more = '',
  use: Kernels = kernels('kernels'),
): Promise<Network> {
  const text = `model: ${model}\nnormalizer: {name: group, groups: 8}\ndata: {name: shapes, side: ${side}}\nbatch: {size: 2}\n${more}`;
  const config = parseConfig(text, { file: 'test.yaml' });
  const { task } = await loadTask(config);
  const shape = [side, side, 3];
  const created = createModel(config.model, 3);
  const { variables } = describeModel(created, config.normalizer, { shape });
  return { config, model: created, task, variables, shape, kernels: use };
}

export type Objects = { box: number[]; class: number; kind: number; runs?: number[] }[];

/** Two images with these objects. */
export function batchOf({ task, shape }: Network, objects: Objects[]): Batch {
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
export function runsOf([left, top, right, bottom]: number[]): number[] {
  const runs: number[] = [left * side + top];
  for (let x = left; x < right; x++) runs.push(bottom - top, side - (bottom - top));
  runs[runs.length - 1] = side * side - (right - 1) * side - bottom;
  return runs;
}
export const object = (box: number[], label: number) => ({ box, class: label, kind: 1, runs: runsOf(box) });
export const usual: Objects[] = [
  [object([4, 6, 30, 28], 1), object([33, 20, 60, 62], 2)],
  [object([10, 12, 22, 20], 3)],
];
