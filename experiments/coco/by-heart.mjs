/**
 * A detector learns a few images by heart: if data, losses, training, inference and metric are all right, it finds again
 * what it was shown. Mask R-CNN with ResNet-18-FPN and GN from scratch, 20 images of COCO, two a step.
 *
 *   node experiments/coco/by-heart.mjs --annotations FILE --images FOLDER --out DIR [--count 20] [--epochs 900] [--only-write]
 *
 * Writes annotations of those images and a configuration into DIR, trains and evaluates on the same images, and prints AP of
 * boxes and masks by the sizes of the objects. A second call goes on where the first was stopped. DIR will hold a picture of
 * three of the images, which is not for the repository. About 90 minutes on two cores with AVX-512. Needs a checkout that has
 * been built, or builds it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    annotations: { type: 'string' },
    images: { type: 'string' },
    out: { type: 'string' },
    count: { type: 'string', default: '20' },
    epochs: { type: 'string', default: '900' },
    'only-write': { type: 'boolean', default: false },
  },
});
const { annotations, images, out, count, epochs } = options;
if (!annotations || !images || !out) {
  process.stderr.write('needs --annotations FILE --images FOLDER --out DIR\n');
  process.exit(2);
}

const all = JSON.parse(readFileSync(annotations, 'utf8'));
const annotated = new Set(all.annotations.filter(({ iscrowd }) => !iscrowd).map(({ image_id }) => image_id));
const chosen = all.images.filter(({ id }) => annotated.has(id)).slice(0, Number(count));
const ids = new Set(chosen.map(({ id }) => id));
mkdirSync(out, { recursive: true });
const file = resolve(out, 'annotations.json');
const kept = all.annotations.filter(({ image_id }) => ids.has(image_id));
writeFileSync(file, JSON.stringify({ categories: all.categories, images: chosen, annotations: kept }));

const folder = JSON.stringify(resolve(images));
const config = join(out, 'by-heart.yaml');
writeFileSync(
  config,
  `model:
  name: mask-rcnn
  backbone: resnet18
  boxHead: 4conv1fc
  neckChannels: 64
  headChannels: 64
  denseUnits: 256
  anchors: { sizes: [16, 32, 64, 128, 256] }
  proposals: { candidates: { train: 500, test: 500 }, kept: { train: 300, test: 300 } }
  regions: { perImage: 64 }
normalizer: { name: group, groups: 32 }
data:
  name: coco
  train: ${folder}
  val: ${folder}
  trainAnnotations: ${JSON.stringify(file)}
  valAnnotations: ${JSON.stringify(file)}
  shorterSide: 320
  longerSide: 416
  flip: false
batch: { size: 2 }
learningRate: { base: 0.02, per: 4, schedule: cosine, warmupSteps: 200, warmupFrom: 0.3333 }
optimizer: { nesterov: false, weightDecay: 0 }
epochs: ${epochs}
evaluate: { every: 50, batchSize: 4 }
`,
);
if (options['only-write']) process.exit(0);

const program = fileURLToPath(new URL('../../bin/gnbench.js', import.meta.url));
const run = join(out, 'run');
const { status } = spawnSync(process.execPath, [program, 'run', config, '--out', run, '--resume'], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
const scores = JSON.parse(readFileSync(join(run, 'average-precision.json'), 'utf8'));
for (const [by, found] of Object.entries(scores)) {
  for (const size of ['', 'small', 'medium', 'large']) {
    const [AP, AP50] = ['AP', 'AP50'].map((name) => found[`${name}${size}`]);
    const words = [AP, AP50].map((value) => (typeof value === 'number' ? (100 * value).toFixed(1) : value));
    console.log(`${by}, ${size || 'all'} objects: AP ${words[0]}, AP50 ${words[1]}`);
  }
}
