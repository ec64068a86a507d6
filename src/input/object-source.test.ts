import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import sharp from 'sharp';
import { decodeMask, type RunLengths } from '../coco/run-length.js';
import { parseConfig } from '../config/load.js';
import { canvasesOf, canvasOf, scaledSize } from '../datasets/detection/canvas.js';
import { openCoco, openShapes } from '../datasets/detection/index.js';
import { type CocoConfig, dataSchemas } from '../datasets/schema.js';
import { UserError } from '../errors.js';
import { loadTask } from '../tasks/index.js';
import type { Batch } from './batch.js';
import { openTrainBatches } from './batches.js';
import { sourceOf } from './dataset-source.js';
import { openEvaluationBatches } from './evaluation-batches.js';
import { ObjectKind } from './object-arrays.js';
import { batchedOrder, epochOrder } from './order.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-objects-'));
process.env.GNBENCH_CACHE = folder;
after(() => rm(folder, { recursive: true, force: true }));

const parsed = <Config>(data: Record<string, unknown>): Config => {
  const schema = dataSchemas.find(({ shape }) => shape.name.safeParse(data.name).success)!;
  return schema.parse(data) as Config;
};

/** An object's mask as an example's arrays hold it. */
function maskAt(batch: Batch, at: number, row: number, most: number, sides: [number, number]): RunLengths {
  const room = batch.runs.length / batch.image.length;
  const [from, to] = [batch.start[at * (most + 1) + row], batch.start[at * (most + 1) + row + 1]];
  const counts = Uint32Array.from(batch.runs.subarray(at * room + from, at * room + to));
  return { height: sides[0], width: sides[1], counts };
}

/** Left, top, right and bottom of the pixels that are set. */
function extent(pixels: Uint8Array, width: number): number[] {
  const xs: number[] = [];
  const ys: number[] = [];
  pixels.forEach((value, at) => {
    if (value) {
      xs.push(at % width);
      ys.push(Math.floor(at / width));
    }
  });
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
}

const trainingOf = (batchSize: number, augment = true, totalSteps = 1) => ({
  seed: 3,
  batchSize,
  firstStep: 0,
  stepsPerEpoch: totalSteps,
  totalSteps,
  augment,
});

test('drawn scenes come with boxes around their masks, mirrored or not, the same every time', async () => {
  const dataset = openShapes(parsed({ name: 'shapes', side: 64, trainImages: 12, valImages: 3 }));
  const source = sourceOf(dataset, 'train');
  const most = 8;
  const runs = await Promise.all(
    [true, true, false].map(async (augment) => {
      const batches = openTrainBatches(source, trainingOf(12, augment));
      const batch = structuredClone(batches.next());
      await batches.close();
      return batch;
    }),
  );
  assert.deepEqual(runs[0], runs[1]);
  const [changed, , plain] = runs;
  let mirrored = 0;
  for (let at = 0; at < 12; at++) {
    assert.equal(changed.image[at], plain.image[at]);
    const size = 64 * 64 * 3;
    const [now, before] = [changed, plain].map((batch) =>
      (batch.images as Uint8Array).subarray(at * size, (at + 1) * size),
    );
    const isMirrored = Buffer.compare(now, before) !== 0;
    if (isMirrored) {
      mirrored++;
      for (let c = 0; c < 3; c++) assert.equal(now[c], before[63 * 3 + c]);
    }
    for (let row = 0; row < most; row++) {
      const there = changed.valid[at * most + row];
      assert.equal(changed.kind[at * most + row], there ? ObjectKind.object : ObjectKind.none);
      const mask = maskAt(changed, at, row, most, [64, 64]);
      if (!there) {
        assert.equal(mask.counts.length, 0);
        continue;
      }
      const pixels = decodeMask(mask);
      const box = [...changed.boxes.subarray((at * most + row) * 4, (at * most + row) * 4 + 4)];
      assert.deepEqual(box, extent(pixels, 64));
      const other = decodeMask(maskAt(plain, at, row, most, [64, 64]));
      const expected = isMirrored
        ? other.map((_, i) => other[Math.floor(i / 64) * 64 + 63 - (i % 64)])
        : other;
      assert.deepEqual(pixels, expected);
      assert.ok(changed.classes[at * most + row] >= 1 && changed.classes[at * most + row] <= 3);
    }
  }
  assert.ok(mirrored > 2 && mirrored < 10, `${mirrored} of 12 are mirrored`);
});

describe('images in the form of COCO', () => {
  const annotations = {
    categories: [
      { id: 7, name: 'left' },
      { id: 90, name: 'right' },
    ],
    images: [
      { id: 30, file_name: 'lying.png', width: 60, height: 30 },
      { id: 10, file_name: 'upright.png', width: 20, height: 50 },
      { id: 20, file_name: 'empty.png', width: 64, height: 64 },
    ],
    annotations: [
      {
        id: 1,
        image_id: 30,
        category_id: 90,
        bbox: [0, 0, 60, 30],
        iscrowd: 1,
        area: 9,
        segmentation: { size: [30, 60], counts: [0, 1800] },
      },
      {
        id: 2,
        image_id: 30,
        category_id: 7,
        bbox: [6, 3, 12, 9],
        iscrowd: 0,
        area: 108,
        segmentation: [[6, 3, 18, 3, 18, 12, 6, 12]],
      },
      {
        id: 3,
        image_id: 10,
        category_id: 90,
        bbox: [5, 10, 10, 20],
        iscrowd: 0,
        area: 200,
        segmentation: { size: [50, 20], counts: [260, ...Array(9).fill([20, 30]).flat(), 20, 270] },
      },
      { id: 4, image_id: 30, category_id: 90, bbox: [30, 15, 30, 15], iscrowd: 0, area: 450 },
    ],
  };
  const write = async (changed: Partial<typeof annotations> = {}) => {
    for (const { file_name, width, height } of annotations.images) {
      const background = { r: 200, g: 100, b: 50 };
      await sharp({ create: { width, height, channels: 3, background } })
        .png()
        .toFile(join(folder, file_name));
    }
    await writeFile(join(folder, 'instances.json'), JSON.stringify({ ...annotations, ...changed }));
  };
  const configOf = (changes: Record<string, unknown> = {}): CocoConfig =>
    parsed({
      name: 'coco',
      train: folder,
      val: folder,
      trainAnnotations: join(folder, 'instances.json'),
      valAnnotations: join(folder, 'instances.json'),
      shorterSide: 60,
      longerSide: 120,
      mostObjects: 5,
      ...changes,
    });

  test('keep their proportions on a lying and an upright canvas, with boxes, classes, crowds and masks', async () => {
    await write();
    const dataset = await openCoco(configOf(), { quiet: true });
    assert.deepEqual([dataset.classes, dataset.shape], [2, [64, 128, 3]]);
    const source = sourceOf(dataset, 'validation');
    const batches = openEvaluationBatches(source, { batchSize: 2 });
    const found: Batch[] = [];
    for (let next = batches.next(); next; next = batches.next()) found.push(structuredClone(next.batch));
    await batches.close();
    // The two lying (or square) images first, then the upright one.
    assert.deepEqual(
      found.map(({ image }) => [...image]),
      [[0, 2], [1]],
    );
    assert.deepEqual(
      found.map(({ canvas }) => [...canvas]),
      [[0, 0], [1]],
    );
    assert.deepEqual([...found[0].size], [60, 120, 60, 60]);
    assert.deepEqual([...found[1].size], [120, 48]);
    const [lying, upright] = found;
    // Crowds stand last; categories 7 and 90 are classes 1 and 2.
    assert.deepEqual([...lying.classes], [1, 2, 2, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([...lying.kind], [1, 1, 2, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([...lying.valid], [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([...lying.boxes.subarray(0, 12)], [12, 6, 36, 24, 60, 30, 120, 60, 0, 0, 120, 60]);
    const square = decodeMask(maskAt(lying, 0, 0, 5, [64, 128]));
    assert.deepEqual(extent(square, 128), [12, 6, 36, 24]);
    assert.equal(maskAt(lying, 0, 1, 5, [64, 128]).counts.length, 0);
    const column = decodeMask(maskAt(upright, 0, 0, 5, [128, 64]));
    assert.deepEqual(extent(column, 64), [12, 24, 36, 72]);
    assert.deepEqual([...upright.boxes.subarray(0, 4)], [12, 24, 36, 72]);
    // The image in the upper left corner, the mean around it.
    const pixel = (batch: Batch, y: number, x: number, width: number) => [
      ...batch.images.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
    ];
    assert.deepEqual(pixel(lying, 59, 119, 128), [200, 100, 50]);
    assert.deepEqual(pixel(lying, 60, 119, 128), [124, 116, 104]);
    assert.deepEqual(pixel(upright, 119, 47, 64), [200, 100, 50]);
    assert.deepEqual(pixel(upright, 119, 48, 64), [124, 116, 104]);
    assert.equal(source.truth?.objects.length, 4);
  });

  test('are mirrored with polygons and runs in about half of the epochs', async () => {
    await write();
    const dataset = await openCoco(configOf({ emptyImages: 'keep' }), { quiet: true });
    const steps = { ...trainingOf(1, true, 60), stepsPerEpoch: 3 };
    const batches = openTrainBatches(sourceOf(dataset, 'train'), steps);
    const lefts = new Map<number, number[]>();
    for (let step = 0; step < 60; step++) {
      const batch = batches.next();
      if (!batch.valid[0]) continue;
      const sides: [number, number] = batch.canvas[0] ? [128, 64] : [64, 128];
      const box = [...batch.boxes.subarray(0, 4)];
      assert.deepEqual(extent(decodeMask(maskAt(batch, 0, 0, 5, sides)), sides[1]), box);
      lefts.set(batch.image[0], [...(lefts.get(batch.image[0]) ?? []), box[0]]);
    }
    await batches.close();
    assert.deepEqual([...lefts.keys()].sort(), [0, 1]);
    const counts = lefts.get(0)!.filter((left) => left === 12).length;
    assert.ok(lefts.get(0)!.every((left) => left === 12 || left === 120 - 36));
    assert.ok(counts >= 4 && counts <= 16, `${counts} of 20 are as they were`);
  });

  test('say what cannot be used before anything starts, and are left out when that is allowed', async () => {
    await write();
    const fails = async (pattern: RegExp, changes: Record<string, unknown> = {}) =>
      assert.rejects(openCoco(configOf(changes), { quiet: true }), (error: UserError) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(`${error.place}: ${error.message}`, pattern);
        return true;
      });
    await rm(join(folder, 'lying.png'));
    await fails(/lying\.png: image 30 \(annotations 1, 2, 4\): the file is not there/);
    const left = await openCoco(configOf({ onBroken: 'skip' }), { quiet: true });
    assert.deepEqual([left.train.count, left.validation.count], [1, 2]);
    assert.deepEqual(
      left.validation.truth?.objects.map(({ id }) => id),
      [3],
    );
    await sharp({ create: { width: 61, height: 30, channels: 3, background: '#fff' } })
      .png()
      .toFile(join(folder, 'lying.png'));
    await fails(/image 30 .*has 61×30 pixels, and its annotations are of 60×30/);
    await write();
    await writeFile(join(folder, 'empty.png'), 'no image');
    await fails(/empty\.png: image 20 \(no annotation\): the file cannot be used/);
    await write({ annotations: [{ ...annotations.annotations[1], bbox: [1, 1, -1, 4] }] });
    await fails(/instances\.json: annotation 2 \(image 30, lying\.png\)/);
    await fails(/data\.expect\.train.*expected 4, found 3/, {
      expect: { classes: 2, train: 4, val: 3 },
      onBroken: 'skip',
    });
    await write();
    await fails(/data\.val: no such folder/, { val: 'nowhere' });
    await fails(/data\.trainAnnotations: no such file/, { trainAnnotations: 'nowhere.json' });
  });

  test('leave boxes of no area out by themselves, and say so, for two of COCO’s are such', async (context) => {
    const [, first, second] = annotations.annotations;
    await write({ annotations: [first, { ...second, bbox: [5, 10, 0, 20] }] });
    const said: string[] = [];
    context.mock.method(process.stderr, 'write', (text: string) => said.push(text) > 0);
    const { validation } = await openCoco(configOf(), { quiet: true });
    context.mock.restoreAll();
    assert.deepEqual(
      validation.truth?.objects.map(({ id }) => id),
      [2],
    );
    assert.match(said.join(''), /1 annotation left out: annotation 3 .*its box \[5,10,0,20\] has no area/);
  });

  test('without an object are left out in training alone, and this is said, unless they are to be kept', async (context) => {
    const [crowd, ...objects] = annotations.annotations;
    await write({ annotations: [crowd, ...objects.filter(({ image_id }) => image_id === 10)] });
    const said: string[] = [];
    context.mock.method(process.stderr, 'write', (text: string) => said.push(text) > 0);
    const dropped = await openCoco(configOf(), { quiet: true });
    const kept = await openCoco(configOf({ emptyImages: 'keep' }), { quiet: true });
    context.mock.restoreAll();
    assert.deepEqual([dropped.train.files?.paths, dropped.validation.count], [['upright.png'], 3]);
    assert.deepEqual([kept.train.count, kept.validation.count], [3, 3]);
    assert.equal(said.length, 1);
    assert.match(said[0], /instances\.json: 2 training images of 3 left out, as no object is in them/);
    await write({ annotations: [crowd] });
    await assert.rejects(openCoco(configOf(), { quiet: true }), /no training image has an object/);
  });

  test('of a single class are enough, as all else is background', async () => {
    await write();
    const dataset = await openCoco(configOf({ classes: ['left'] }), { quiet: true });
    assert.deepEqual([dataset.classes, dataset.validation.truth?.objects.map(({ id }) => id)], [1, [2]]);
    assert.throws(() => parsed({ name: 'cifar10', classes: ['cat'] }), /two classes or more/);
  });

  test('keep a checksum of both annotation files, of one name, too', async () => {
    await write();
    const { checksums } = await openCoco(configOf(), { quiet: true });
    assert.deepEqual(Object.keys(checksums), ['instances.json']);
    await mkdir(join(folder, 'other'), { recursive: true });
    const text = JSON.stringify({ ...annotations, annotations: annotations.annotations.slice(1) });
    await writeFile(join(folder, 'other', 'instances.json'), text);
    const changes = { trainAnnotations: join(folder, 'other', 'instances.json') };
    const both = (await openCoco(configOf(changes), { quiet: true })).checksums;
    assert.deepEqual(Object.keys(both), ['train: instances.json', 'val: instances.json']);
    assert.equal(both['val: instances.json'], checksums['instances.json']);
    assert.notEqual(both['train: instances.json'], checksums['instances.json']);
  });

  test('have masks where masks are found, or the run does not begin', async () => {
    const requireData = async (model: string) => {
      const config = parseConfig(`model: ${model}\nnormalizer: group\ndata: coco\n`, { file: 'a.yaml' });
      const { task } = await loadTask(config);
      const dataset = await openCoco(configOf(), { quiet: true });
      task.requireData?.(dataset);
    };
    await write();
    await assert.rejects(requireData('mask-rcnn'), (error: UserError) => {
      assert.match(
        `${error.place}: ${error.message}`,
        /^data\.valAnnotations: .*annotation 4 \(image 30\) has no mask/,
      );
      assert.match(error.fix ?? '', /faster-rcnn/);
      return true;
    });
    await requireData('faster-rcnn');
    await write({ annotations: annotations.annotations.slice(0, 3) });
    await requireData('mask-rcnn');
  });

  test('with more objects than the limit keep the first, and say so', async (context) => {
    await write();
    const said: string[] = [];
    context.mock.method(process.stderr, 'write', (text: string) => said.push(text) > 0);
    const dataset = await openCoco(configOf({ mostObjects: 2, emptyImages: 'keep' }), { quiet: true });
    context.mock.restoreAll();
    assert.match(
      said.join(''),
      /1 image with more than data\.mostObjects 2 .* last 1: image 30 \(lying\.png\) 1/,
    );
    const batches = openTrainBatches(sourceOf(dataset, 'train'), trainingOf(1, false, 3));
    const counts = new Map<number, number[]>();
    for (let step = 0; step < 3; step++) {
      const { image, classes } = batches.next();
      counts.set(image[0], [...classes]);
    }
    await batches.close();
    assert.deepEqual(
      counts,
      new Map([
        [0, [1, 2]],
        [1, [2, 0]],
        [2, [0, 0]],
      ]),
    );
  });
});

test('an image fits the canvas of its orientation, whatever its sides', () => {
  for (const canvas of ['turned', 'square'] as const) {
    for (const [shorterSide, longerSide] of [
      [800, 1333],
      [256, 256],
      [100, 97],
    ]) {
      const config = { shorterSide, longerSide, canvas };
      const canvases = canvasesOf(config);
      for (const [height, width] of [
        [1, 1],
        [480, 640],
        [640, 480],
        [1, 5000],
        [333, 334],
        [1333, 800],
      ]) {
        const to = scaledSize({ height, width }, config);
        const on = canvases[canvasOf({ height, width }, canvases)];
        assert.ok(
          to.height <= on.height && to.width <= on.width,
          `${height}×${width} on ${on.height}×${on.width}`,
        );
        assert.ok(
          Math.min(to.height, to.width) <= shorterSide && Math.max(to.height, to.width) <= longerSide,
        );
      }
    }
  }
});

test('every batch of an epoch is of one canvas, and nearly every example comes once', () => {
  for (const [count, size] of [
    [10, 1],
    [11, 4],
    [40, 3],
    [9, 4],
    [5, 5],
  ]) {
    const canvases = Uint8Array.from({ length: count }, (_, i) => Number(i % 3 === 0));
    const order = epochOrder(1, 1, count);
    const batched = batchedOrder(order, canvases, size);
    assert.equal(batched.length, Math.floor(count / size) * size);
    for (let first = 0; first < batched.length; first += size) {
      const batch = [...batched.subarray(first, first + size)];
      assert.equal(new Set(batch.map((example) => canvases[example])).size, 1, `${batch}`);
    }
    assert.ok(new Set(batched).size > count - 2 * size, `${new Set(batched).size} of ${count}`);
    if (size === 1) assert.deepEqual(batched, order);
  }
});
