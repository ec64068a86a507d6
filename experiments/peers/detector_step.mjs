/**
 * One training step of Mask R-CNN, ResNet-50-FPN, timed in a process of its own: a child of detector.mjs, which gives the
 * objects and the proposals of an image of 512 × 512 pixels. Prints a JSON object.
 *
 *   node experiments/peers/detector_step.mjs '{"norm": "group", "inputs": "inputs.json", "steps": 5}' [--profile]
 */
import { readFileSync } from 'node:fs';
import { encodeMask } from '../../dist/coco/run-length.js';
import { parseConfig } from '../../dist/config/load.js';
import { kernels } from '../../dist/engine/kernel-table.js';
import { loadEngine } from '../../dist/engine/load.js';
import { describeModel } from '../../dist/models/describe.js';
import { createModel } from '../../dist/models/index.js';
import { initialize } from '../../dist/nn/initialize.js';
import { loadTask } from '../../dist/tasks/index.js';
import { openForTraining } from '../../dist/training/open-network.js';

const { norm, inputs, steps, threads = 2 } = JSON.parse(process.argv[2]);
const { side, classes, boxes, labels, proposals } = JSON.parse(readFileSync(inputs, 'utf8'));
const normalizer =
  norm === 'group'
    ? '{ name: group, groups: 32 }'
    : '{ name: none, parts: { backbone: { name: frozen-batch } } }';
const config = parseConfig(
  `
model: { name: mask-rcnn, backbone: resnet50, boxHead: ${norm === 'group' ? '4conv1fc' : '2fc'} }
normalizer: ${normalizer}
data: { name: coco, shorterSide: ${side}, longerSide: ${side}, canvas: square, mostObjects: ${boxes.length} }
init: { weights: drawn }
batch: { size: 1, microSteps: 1 }
learningRate: { base: 0.02, per: 16 }
optimizer: { nesterov: false, frozen: [backbone.stem, backbone.stage1] }
`,
  { file: 'detector.yaml' },
);
await loadEngine({ variant: 'cpu', threads: { intraOp: threads, interOp: 1 }, quiet: true });
const { task } = await loadTask(config);
const model = createModel(config.model, classes);
const shape = [side, side, 3];
const { variables, parameters } = describeModel(model, config.normalizer, { shape });
const targets = { ...task.targets, proposals: { shape: [proposals.length, 4], dtype: 'float32' } };
const network = {
  config,
  model,
  task: { ...task, targets },
  variables,
  shape,
  pixels: { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
  kernels: kernels('kernels'),
};
const { trainOn } = await openForTraining(network, initialize(variables, 1), undefined, {
  eager: false,
  parts: 1,
});

const batch = Object.fromEntries(
  Object.entries(targets).map(([name, { shape: own, dtype }]) => {
    const length = own.reduce((product, extent) => product * extent, 1);
    return [name, dtype === 'int32' ? new Int32Array(length) : new Float32Array(length)];
  }),
);
batch.images = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 31 + (i >> 7) * 17) % 256);
batch.proposals.set(proposals.flat());
batch.size.set([side, side]);
let used = 0;
for (const [row, box] of boxes.entries()) {
  const [left, top, right, bottom] = box;
  const inside = Uint8Array.from({ length: side * side }, (_, pixel) => {
    const u = (2 * ((pixel % side) + 0.5) - left - right) / (right - left);
    const v = (2 * (Math.floor(pixel / side) + 0.5) - top - bottom) / (bottom - top);
    return u * u + v * v < 1 ? 1 : 0;
  });
  const { counts } = encodeMask(inside, side, side);
  batch.boxes.set(box, 4 * row);
  batch.classes[row] = labels[row];
  batch.kind[row] = 1;
  batch.valid[row] = 1;
  batch.runs.set(counts, used);
  used += counts.length;
  batch.start[row + 1] = used;
}

const times = [];
let last;
for (let step = 0; step < steps + 2; step++) {
  const started = performance.now();
  last = trainOn(batch, 0.001, { step, fractionDone: 0 });
  if (step >= 2) times.push(performance.now() - started);
}
times.sort((a, b) => a - b);
const peakMB = process.resourceUsage().maxRSS / 1024;
const { loss, logged } = last;
process.stdout.write(
  `${JSON.stringify({ medianMs: times[times.length >> 1], fastestMs: times[0], peakMB, parameters, loss, logged })}\n`,
);
process.exit(0);
