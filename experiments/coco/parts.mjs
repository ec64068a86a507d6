/**
 * The parts of a detector's step beside torchvision's operations of the same kind, in turn, on this machine: RoIAlign and
 * its gradient, non-maximum suppression, matching, sampling, mask targets, box codes, losses, at the sizes of one
 * 512 × 512 image of the paper's Mask R-CNN with a feature pyramid.
 *
 * A part that is one operation is called as such. Codes, losses and the best of levels run as training runs them: in a
 * recorded step that has nothing else in it, `calls` times on as many different inputs, which are variables; the step
 * returns a corner of each result, so that no copies are timed, and its time, with what starting it takes, is divided by
 * `calls`. PyTorch computes the same number of different inputs a round, and its time is divided alike.
 *
 *   node experiments/coco/parts.mjs [--python PYTHON] [--rounds 3] [--only WORDS] [--out results/bench/detection-parts.csv]
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { buildIfStale } from '../../bin/build.js';

await buildIfStale();
const engine = await import('../../dist/engine/load.js');
await engine.loadEngine({ variant: 'cpu', threads: { intraOp: 2, interOp: 1 }, quiet: true });
const { tf } = engine;
const ops = await import('../../dist/engine/ops/detection.js');
const { clippedBoxes } = await import('../../dist/engine/ops/box-coding.js');
const { chosenCrossEntropy, smoothL1 } = await import('../../dist/engine/ops/detection-losses.js');
const { topOfLevels } = await import('../../dist/engine/ops/top-boxes.js');
const { lossAndGradients } = await import('../../dist/engine/gradients.js');
const { execute, ints, floats, bools } = await import('../../dist/engine/operation.js');
const { CompiledProgram } = await import('../../dist/engine/graph/compiled.js');

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
  },
});

/** Knuth's linear congruential generator, 0 to 1; the Python below has the same. */
let state = 1;
const draw = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const boxesOf = (count, side) =>
  Array.from({ length: count }, () => {
    const [a, b, c, d] = [draw(), draw(), draw(), draw()];
    return [
      a * side * 0.9,
      b * side * 0.9,
      a * side * 0.9 + 8 + c ** 3 * side,
      b * side * 0.9 + 8 + d ** 3 * side,
    ];
  });
const int32 = (values, shape) => tf.tensor(Int32Array.from(values), shape, 'int32');

const side = 512;
const rois = boxesOf(512, side);
const levels = rois.map(([x, y, z, w]) =>
  Math.min(3, Math.max(0, Math.floor(4 + Math.log2(Math.sqrt((z - x) * (w - y)) / 224 + 1e-6)) - 2)),
);
const proposals = boxesOf(5 * 1000, side);
const scores = proposals.map(() => draw());
const anchors = boxesOf(65_472, side);
const truth = boxesOf(20, side);
const circles = truth.map(([x, y, z, w]) => [(x + z) / 2, (y + w) / 2, Math.min(z - x, w - y) / 2]);
const masked = boxesOf(128, side);

const maps = [4, 8, 16, 32].map((stride) => tf.randomUniform([1, side / stride, side / stride, 256]));
const roi = {
  boxes: tf.tensor(rois),
  image: int32(
    rois.map(() => 0),
    [rois.length],
  ),
  level: int32(levels, [rois.length]),
};
const scales = [1 / 4, 1 / 8, 1 / 16, 1 / 32];
const roiAttributes = [
  ints('N', 4),
  ints('size', 7),
  ints('sampling', 2),
  floats('scales', scales),
  bools('aligned', false),
];
const gradient = tf.randomUniform([512, 7, 7, 256]);
const runs = [];
const start = [0];
for (const [cx, cy, r] of circles) {
  let [run, inside] = [0, false];
  for (let x = 0; x < side; x++) {
    for (let y = 0; y < side; y++) {
      const now = (x - cx) ** 2 + (y - cy) ** 2 < r ** 2;
      if (now !== inside) {
        runs.push(run);
        [run, inside] = [0, now];
      }
      run++;
    }
  }
  runs.push(run);
  start.push(runs.length);
}
const one = (list) => tf.tensor(list.flat(), [1, list.length, 4]);
const fixed = {
  proposals: one(proposals),
  scores: tf.tensor(scores, [1, scores.length]),
  group: int32(
    scores.map((_, i) => i % 5),
    [1, scores.length],
  ),
  anchors: tf.tensor(anchors.flat(), [anchors.length, 4]),
  truth: one(truth),
  kind: int32(
    truth.map(() => 1),
    [1, truth.length],
  ),
  seed: int32([1, 2], [2]),
  runs: int32(runs, [1, runs.length]),
  start: int32(start, [1, start.length]),
  masked: tf.tensor(masked.flat(), [128, 4]),
  zeros: int32(
    masked.map(() => 0),
    [128],
  ),
  object: int32(
    masked.map((_, i) => i % 20),
    [128],
  ),
};
const match = () =>
  ops.matchBoxes(fixed.anchors, fixed.truth, fixed.kind, {
    low: 0.3,
    high: 0.7,
    bestOfEach: true,
    crowdOverlap: 0.7,
  });
const matched = match();

/**
 * A recorded step that computes `body` for each of `calls` sets of inputs.
 * @param inputs the shape of each, and its values: normal, or 0 to 1 @param feeds int32
 */
function recorded(calls, inputs, body, feeds = {}) {
  const variables = {};
  for (let call = 0; call < calls; call++) {
    for (const [name, { shape, values }] of Object.entries(inputs)) {
      const data = values === 'normal' ? tf.randomNormal(shape, 0, 0.1) : tf.randomUniform(shape);
      variables[`${name}${call}`] = { shape, data: Float32Array.from(data.dataSync()) };
      data.dispose();
    }
  }
  const program = new CompiledProgram(variables);
  const fed = Object.entries(feeds);
  const shapes = fed.map(([name, data]) => [name, { shape: [data.length], dtype: 'int32' }]);
  const run = program.define('part', Object.fromEntries(shapes), (step) => {
    const results = Array.from({ length: calls }, (_, call) =>
      body(
        (name) => step.variable(`${name}${call}`),
        (name) => step.feed(name),
      ),
    ).flat();
    const corners = results.map((tensor) => tensor.flatten().slice([0], [1]).cast('float32'));
    return { corners: tf.concat(corners) };
  });
  return { calls, call: () => run(feeds) };
}
const withGradient = (loss, of) => {
  const { value, gradients } = lossAndGradients(loss, [of]);
  return [value, gradients[0]];
};
const counts = [49_152, 12_288, 3072, 768, 192];
const ofAnchors = {
  codes: { shape: [anchors.length, 4], values: 'normal' },
  other: { shape: [anchors.length, 4], values: 'normal' },
  sizes: { shape: [1, 2], values: 'uniform' },
};
const levelInputs = counts.flatMap((count, level) => [
  [`scores${level}of`, { shape: [1, count], values: 'uniform' }],
  [`boxes${level}of`, { shape: [1, count, 4], values: 'uniform' }],
]);
const maskInputs = {
  maps: { shape: [128, 28, 28, 80], values: 'normal' },
  targets: { shape: [128, 28, 28], values: 'uniform' },
};
const labels = Int32Array.from({ length: 128 }, (_, i) => i % 80);
const parts = {
  'RoIAlign, 512 boxes, 7 × 7, 256 channels': () =>
    ops.roiAlign(maps, { ...roi, scales, size: 7, sampling: 2, aligned: false }),
  'its gradient': () =>
    execute('GnbenchRoiAlignGrad', roiAttributes, [gradient, ...maps, roi.boxes, roi.image, roi.level], 4),
  'suppression, 5 levels of 1000 boxes': () =>
    ops.suppress(fixed.proposals, fixed.scores, fixed.group, { threshold: 0.7, minScore: -1, limit: 5000 }),
  'matching, 65,472 anchors, 20 objects': match,
  'sampling 256 of 65,472 anchors': () =>
    ops.sampleMatches(matched, fixed.seed, { count: 256, mostPositive: 128 }),
  'mask targets, 128 boxes, 28 × 28': () =>
    ops.maskTargets(fixed.runs, fixed.start, {
      boxes: fixed.masked,
      image: fixed.zeros,
      object: fixed.object,
      size: 28,
      height: side,
      width: side,
    }),
  'boxes of 65,472 codes, cut off at the border': recorded(8, ofAnchors, (of) => {
    const boxes = clippedBoxes(
      of('codes').expandDims(0),
      of('other').expandDims(0),
      [1, 1, 1, 1],
      of('sizes'),
    );
    return [boxes];
  }),
  'smooth L1 of 65,472 boxes and its gradient': recorded(8, ofAnchors, (of) =>
    withGradient(() => smoothL1(of('codes'), of('other'), 1 / 9).sum(), of('codes')),
  ),
  'cross-entropy of 128 masks, 28 × 28, of 80 classes and its gradient': recorded(
    1,
    maskInputs,
    (of, fed) =>
      withGradient(() => chosenCrossEntropy(of('maps'), fed('labels'), of('targets')).mean(), of('maps')),
    { labels },
  ),
  'best 1000 of each of 5 levels': recorded(4, Object.fromEntries(levelInputs), (of) => {
    const levels = counts.map((_, level) => ({
      scores: of(`scores${level}of`),
      boxes: of(`boxes${level}of`),
    }));
    return Object.values(topOfLevels(levels, { limit: 1000 }));
  }),
};

/** The median of a call, in milliseconds. */
function time(part) {
  const { calls, call } = typeof part === 'function' ? { calls: 1, call: part } : part;
  const times = [];
  const end = performance.now() + 1000;
  for (let i = 0; i < 8 || performance.now() < end; i++) {
    const started = performance.now();
    tf.tidy(() => {
      call();
    });
    times.push((performance.now() - started) / calls);
  }
  return times.slice(3).sort((a, b) => a - b)[Math.floor((times.length - 3) / 2)];
}

const script = `
import json, statistics, sys, time
import torch
import torch.nn.functional as F
from torchvision.models.detection._utils import BoxCoder, BalancedPositiveNegativeSampler, Matcher
from torchvision.models.detection.roi_heads import project_masks_on_boxes
from torchvision.ops import MultiScaleRoIAlign, batched_nms, box_iou, clip_boxes_to_image
torch.set_num_threads(2)
state = 1
def draw():
    global state
    state = (state * 1664525 + 1013904223) % 2**32
    return state / 2**32
def boxes(count, side):
    rows = []
    for _ in range(count):
        a, b, c, d = draw(), draw(), draw(), draw()
        rows.append([a * side * 0.9, b * side * 0.9, a * side * 0.9 + 8 + c ** 3 * side, b * side * 0.9 + 8 + d ** 3 * side])
    return torch.tensor(rows)
side = 512
rois = boxes(512, side)
proposals = boxes(5000, side)
scores = torch.tensor([draw() for _ in range(5000)])
groups = torch.arange(5000) % 5
anchors, truth = boxes(65472, side), boxes(20, side)
circles = [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2, min(b[2] - b[0], b[3] - b[1]) / 2) for b in truth.tolist()]
masked = boxes(128, side)
maps = {str(i): torch.rand(1, 256, side // s, side // s, requires_grad=True) for i, s in enumerate([4, 8, 16, 32])}
pool = MultiScaleRoIAlign(list(maps), 7, 2)
gradient = torch.rand(512, 256, 7, 7)
pooled = pool(maps, [rois], [(side, side)])
y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing='ij')
masks = torch.stack([((x - cx) ** 2 + (y - cy) ** 2 < r ** 2).to(torch.uint8) for cx, cy, r in circles])
index = torch.arange(128) % 20
matcher = Matcher(0.7, 0.3, allow_low_quality_matches=True)
labels = torch.where(matcher(box_iou(truth, anchors)) >= 0, 1.0, 0.0)
sampler = BalancedPositiveNegativeSampler(256, 0.5)
coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
def sets(calls, *shapes):
    return [[torch.randn(*shape) * 0.1 for shape in shapes] for _ in range(calls)]
codes = sets(8, (65472, 4), (65472, 4))
for code, _ in codes: code.requires_grad_()
mask_sets = sets(1, (128, 80, 28, 28), (128, 28, 28))
for maps28, targets28 in mask_sets: maps28.requires_grad_(); targets28.uniform_()
labels28 = torch.arange(128) % 80
def decode():
    with torch.no_grad():
        for code, reference in codes: clip_boxes_to_image(coder.decode_single(code, reference), (1, 1))
def smooth_l1():
    for code, target in codes:
        torch.autograd.grad(F.smooth_l1_loss(code, target, reduction="sum", beta=1 / 9), code)
def mask_loss():
    for maps28, targets28 in mask_sets:
        loss = F.binary_cross_entropy_with_logits(maps28[torch.arange(128), labels28], targets28)
        torch.autograd.grad(loss, maps28)
counts = [49152, 12288, 3072, 768, 192]
pyramids = [[(torch.rand(1, count), torch.rand(1, count, 4)) for count in counts] for _ in range(4)]
def best():
    for pyramid in pyramids:
        for level_scores, level_boxes in pyramid:
            values, index = level_scores.topk(min(1000, level_scores.shape[1]))
            level_boxes[torch.arange(1)[:, None], index]
def forward():
    with torch.no_grad(): pool(maps, [rois], [(side, side)])
parts = [
    forward,
    lambda: torch.autograd.grad(pooled, list(maps.values()), gradient, retain_graph=True),
    lambda: batched_nms(proposals, scores, groups, 0.7),
    lambda: matcher(box_iou(truth, anchors)),
    lambda: sampler([labels]),
    lambda: project_masks_on_boxes(masks, masked, index, 28),
    decode,
    smooth_l1,
    mask_loss,
    best,
]
calls = [1, 1, 1, 1, 1, 1, 8, 8, 1, 4]
for line in sys.stdin:
    part, repeats, times, end = parts[int(line)], calls[int(line)], [], time.perf_counter() + 1
    while len(times) < 8 or time.perf_counter() < end:
        started = time.perf_counter(); part(); times.append((time.perf_counter() - started) * 1000 / repeats)
    print(json.dumps(statistics.median(times[3:])), flush=True)
`;
const peer = spawn(options.python, ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
const ask = async (part) => {
  peer.stdin.write(`${part}\n`);
  const { value, done } = await answers.next();
  return done ? Number.NaN : JSON.parse(value);
};

const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const rows = [];
for (const [index, [name, call]] of Object.entries(parts).entries()) {
  if (!name.includes(options.only)) continue;
  const [ours, theirs] = [[], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    ours.push(time(call));
    theirs.push(await ask(index));
  }
  const [here, there] = [median(ours), median(theirs)];
  rows.push([
    JSON.stringify(name),
    typeof call === 'function' ? 'one operation' : 'in a recorded step',
    call.calls ?? 1,
    here.toFixed(2),
    there.toFixed(2),
    (there / here).toFixed(2),
    cpus()[0].model.trim(),
  ]);
  console.log(
    `${name}: ${here.toFixed(2)} ms, torchvision ${there.toFixed(2)} ms, ${(there / here).toFixed(2)} times as fast`,
  );
}
peer.stdin.end();
if (options.out) {
  const header = 'part,run,calls,gnbench_ms,torchvision_ms,ratio,processor';
  writeFileSync(options.out, `${[header, ...rows.map((row) => row.join(','))].join('\n')}\n`);
}
