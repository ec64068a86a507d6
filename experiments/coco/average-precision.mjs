/**
 * How long COCO's metric takes: 5,000 drawn images with 36,000 objects and 100 detections an image, boxes and masks,
 * by gnbench and, where a Python with pycocotools is there, by pycocotools on the same files. Both read the files and
 * print the twelve numbers, which have to be the same.
 *
 *   pip install pycocotools==2.0.11
 *   node experiments/coco/average-precision.mjs [--images N] [--python PYTHON] [--out results/bench/average-precision.csv]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale } from '../../bin/build.js';

await buildIfStale();
const { averagePrecision, cocoNumbers } = await import('../../dist/coco/average-precision.js');
const { instanceMask, readInstances } = await import('../../dist/coco/instances.js');
const { readResults } = await import('../../dist/coco/results-file.js');
const { compressCounts } = await import('../../dist/coco/run-length.js');
const { polygonMask } = await import('../../dist/coco/polygon.js');

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '5000' },
    python: { type: 'string', default: 'python3' },
    out: { type: 'string' },
  },
});
const images = Number(values.images);
const [height, width] = [480, 640];
const folder = mkdtempSync(join(tmpdir(), 'average-precision-'));
const truthFile = join(folder, 'instances.json');
const detectionsFile = join(folder, 'detections.json');

/** Knuth's linear congruential generator, 0 to 1. */
let state = 1;
const draw = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const below = (n) => Math.floor(draw() * n);
const ellipse = ([x, y, w, h]) =>
  Array.from({ length: 24 }, (_, i) => {
    const angle = (i * Math.PI) / 12;
    return [x + (w / 2) * (1 + Math.cos(angle)), y + (h / 2) * (1 + Math.sin(angle))];
  }).flat();

function writeFiles() {
  const annotations = [];
  const detections = [];
  for (let image = 1; image <= images; image++) {
    const objects = [];
    for (let object = 0; object < (image % 5 ? 7 : 8); object++) {
      const [w, h] = [8 + draw() ** 2 * 300, 8 + draw() ** 2 * 300];
      const bbox = [draw() * (width - w), draw() * (height - h), w, h];
      objects.push({ bbox, category_id: 1 + below(80) });
      const crowd = below(40) === 0 ? 1 : 0;
      const id = annotations.length + 1;
      const segmentation = [ellipse(bbox)];
      annotations.push({
        id,
        image_id: image,
        ...objects.at(-1),
        iscrowd: crowd,
        area: (Math.PI / 4) * w * h,
        segmentation: crowd
          ? {
              size: [height, width],
              counts: compressCounts(polygonMask(segmentation[0], height, width).counts),
            }
          : segmentation,
      });
    }
    for (let detection = 0; detection < 100; detection++) {
      const { bbox, category_id } = objects[below(objects.length)];
      const [x, y, w, h] = bbox.map((value) => value * (0.9 + 0.2 * draw()));
      const box = [Math.min(x, width - 9), Math.min(y, height - 9), Math.max(4, w), Math.max(4, h)];
      const { counts } = polygonMask(ellipse(box), height, width);
      detections.push(
        JSON.stringify({
          image_id: image,
          category_id: below(3) ? category_id : 1 + below(80),
          score: below(1000) / 1000,
          bbox: box,
          segmentation: { size: [height, width], counts: compressCounts(counts) },
        }),
      );
    }
  }
  const categories = Array.from({ length: 80 }, (_, i) => ({ id: i + 1, name: `category ${i + 1}` }));
  const list = Array.from({ length: images }, (_, i) => ({
    id: i + 1,
    file_name: `${i + 1}.jpg`,
    height,
    width,
  }));
  writeFileSync(truthFile, JSON.stringify({ images: list, categories, annotations }));
  writeFileSync(detectionsFile, `[${detections.join(',\n')}]`);
  return annotations.length;
}

async function ours(by) {
  const started = performance.now();
  const instances = await readInstances(truthFile);
  const sizes = new Map(instances.images.map((image) => [image.id, image]));
  const truth = instances.objects.map((object) => ({
    ...object,
    ...(by === 'mask' && { mask: instanceMask(object, sizes.get(object.image)) }),
  }));
  const result = averagePrecision({
    by,
    images: [...sizes.keys()],
    categories: instances.categories.map(({ id }) => id),
    truth,
    detections: await readResults(detectionsFile, instances, by),
  });
  return {
    seconds: (performance.now() - started) / 1000,
    numbers: cocoNumbers.map((name) => result[name]),
  };
}

const script = `
import contextlib, io, json, sys, time
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
truth_file, detections_file, kind = sys.argv[1:]
started = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    truth = COCO(truth_file)
    results = json.load(open(detections_file))
    for result in results:
        result.pop('segmentation' if kind == 'bbox' else 'bbox')
    evaluation = COCOeval(truth, truth.loadRes(results), kind)
    evaluation.evaluate(); evaluation.accumulate(); evaluation.summarize()
print(json.dumps({'seconds': time.perf_counter() - started, 'numbers': [float(v) for v in evaluation.stats]}))
`;
function theirs(by) {
  const kind = by === 'box' ? 'bbox' : 'segm';
  try {
    return JSON.parse(execFileSync(values.python, ['-c', script, truthFile, detectionsFile, kind]));
  } catch (error) {
    process.stderr.write(`pycocotools was not measured: ${error.message.split('\n')[0]}\n`);
    return undefined;
  }
}

try {
  const objects = writeFiles();
  const rows = [];
  for (const by of ['box', 'mask']) {
    const [here, there] = [await ours(by), theirs(by)];
    const same = there && here.numbers.every((value, index) => value === there.numbers[index]);
    rows.push([
      by,
      images,
      objects,
      here.seconds.toFixed(1),
      there?.seconds.toFixed(1) ?? '',
      there ? (same ? 'yes' : 'no') : '',
      cpus()[0].model.trim(),
    ]);
    console.log(
      `${by}: gnbench ${rows.at(-1)[3]} s, pycocotools ${rows.at(-1)[4] || '–'} s, same numbers: ${rows.at(-1)[5] || '–'}`,
    );
    if (there && !same) process.exitCode = 1;
  }
  if (values.out) {
    const header = 'by,images,objects,gnbench_seconds,pycocotools_seconds,same_numbers,processor';
    writeFileSync(values.out, `${[header, ...rows.map((row) => row.join(','))].join('\n')}\n`);
    console.log(readFileSync(values.out, 'utf8'));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
