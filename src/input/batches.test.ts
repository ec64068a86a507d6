import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Dataset, emptySplit } from '../datasets/dataset.js';
import { augmentInto } from './augment.js';
import { openTrainBatches } from './batches.js';
import { type Images, sourceOf } from './dataset-source.js';
import { epochOrder } from './order.js';
import { createRing, waitForBatch } from './ring.js';

function dataset(count: number, shape: [number, number, number] = [8, 8, 3]): Dataset {
  const size = shape[0] * shape[1] * shape[2];
  const train = emptySplit(count, size);
  for (let at = 0; at < train.images.length; at++) train.images[at] = (at * 31 + (at >> 8)) & 255;
  for (let at = 0; at < count; at++) train.labels[at] = at % 10;
  const mean = [125.3, 123, 113.9];
  return {
    name: 'x',
    classes: 10,
    shape,
    mean,
    std: [63, 62, 67],
    train,
    validation: train,
    checksums: {},
    official: true,
  };
}

const train = (data: Images) => sourceOf(data, 'train');

const busy = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

test('batches are order and augmentation of their epoch, over many turns of the ring', async () => {
  const data = dataset(103);
  const options = { seed: 9, batchSize: 5, firstStep: 0, stepsPerEpoch: 20, totalSteps: 250, augment: true };
  const batches = openTrainBatches(train(data), options);
  const expected = new Uint8Array(5 * 192);
  for (let step = 0; step < 250; step++) {
    const epoch = Math.floor(step / 20) + 1;
    const indices = epochOrder(9, epoch, 103).subarray((step % 20) * 5, (step % 20) * 5 + 5);
    indices.forEach((index, at) => {
      const image = data.train.images.subarray(index * 192, (index + 1) * 192);
      augmentInto(
        expected,
        at * 192,
        image,
        data.shape as [number, number, number],
        9,
        epoch,
        index,
        data.mean,
      );
    });
    const { images, labels } = batches.next();
    assert.deepEqual(images, expected);
    assert.deepEqual(
      [...labels],
      Array.from(indices, (index) => data.train.labels[index]),
    );
  }
  assert.throws(() => batches.next(), /all 250 steps/);
  await batches.close();
});

test('a resumed run sees the batches that the uninterrupted one saw', async () => {
  const data = dataset(50);
  const options = { seed: 4, batchSize: 4, stepsPerEpoch: 12, totalSteps: 40, augment: true };
  const whole = openTrainBatches(train(data), { ...options, firstStep: 0 });
  const kept = Array.from({ length: 40 }, () => {
    const { images, labels } = whole.next();
    return [Buffer.from(images).toString('hex'), [...labels]];
  });
  await whole.close();
  for (const firstStep of [1, 11, 12, 13, 39]) {
    const resumed = openTrainBatches(train(data), { ...options, firstStep });
    for (let step = firstStep; step < 40; step++) {
      const { images, labels } = resumed.next();
      assert.deepEqual([Buffer.from(images).toString('hex'), [...labels]], kept[step], `step ${step}`);
    }
    await resumed.close();
  }
});

test('without augmentation the images are the stored ones', async () => {
  const data = dataset(10);
  const batches = openTrainBatches(train(data), {
    seed: 1,
    batchSize: 10,
    firstStep: 0,
    stepsPerEpoch: 1,
    totalSteps: 1,
    augment: false,
  });
  const { images } = batches.next();
  epochOrder(1, 1, 10).forEach((index, at) => {
    assert.deepEqual(
      images.slice(at * 192, (at + 1) * 192),
      data.train.images.slice(index * 192, (index + 1) * 192),
    );
  });
  await batches.close();
});

test('what a batch shows stays as it is until the next one is asked for', async () => {
  const data = dataset(200);
  const batches = openTrainBatches(train(data), {
    seed: 1,
    batchSize: 2,
    firstStep: 0,
    stepsPerEpoch: 100,
    totalSteps: 1000,
    augment: true,
  });
  for (let step = 0; step < 200; step++) {
    const { images } = batches.next();
    const before = Uint8Array.from(images);
    if (step % 20 === 0) busy(5);
    assert.deepEqual(images, before);
  }
  await batches.close();
});

test('an error in the worker is thrown by next, also when the main thread never yields', async () => {
  const data = dataset(10);
  // More images in an epoch than there are is caught before; a mean that is no list is not.
  const batches = openTrainBatches(train({ ...data, mean: undefined as unknown as number[] }), {
    seed: 1,
    batchSize: 2,
    firstStep: 0,
    stepsPerEpoch: 5,
    totalSteps: 5,
    augment: true,
  });
  assert.throws(() => batches.next(), /preparing a batch failed: .*undefined/);
  assert.throws(() => batches.next(), /preparing a batch failed/);
  await batches.close();
});

test('more images an epoch than there are: refused', () => {
  assert.throws(
    () =>
      openTrainBatches(train(dataset(10)), {
        seed: 1,
        batchSize: 4,
        firstStep: 0,
        stepsPerEpoch: 3,
        totalSteps: 3,
        augment: true,
      }),
    RangeError,
  );
});

test('close ends a worker that waits for room', { timeout: 60_000 }, async () => {
  const batches = openTrainBatches(train(dataset(100)), {
    seed: 1,
    batchSize: 2,
    firstStep: 0,
    stepsPerEpoch: 50,
    totalSteps: 5000,
    augment: true,
  });
  batches.next();
  busy(30);
  await batches.close();
  assert.throws(() => batches.next(), /closed/);
});

test('the worker gets ahead of a main thread that never yields: batches are there when they are asked for', async () => {
  const batches = openTrainBatches(train(dataset(5000, [32, 32, 3])), {
    seed: 1,
    batchSize: 2,
    firstStep: 0,
    stepsPerEpoch: 2500,
    totalSteps: 25000,
    augment: true,
  });
  // Other programs may hold the worker up for a while; a hundred steps in a row without any wait tell that it is ahead.
  let inARow = 0;
  for (let step = 0; step < 10_000 && inARow < 100; step++) {
    const before = batches.waitedMs;
    batches.next();
    inARow = batches.waitedMs === before ? inARow + 1 : 0;
    busy(4);
  }
  await batches.close();
  assert.equal(inARow, 100);
});

test('a worker that says nothing is given up after 300 seconds in which this process ran', (t) => {
  const ring = createRing({ images: { shape: [1], dtype: 'uint8' } }, 1);
  // Suspended for whatever time, a process finds a wait of one second over once.
  const wait = t.mock.method(Atomics, 'wait', () => 'timed-out' as const);
  assert.throws(() => waitForBatch(ring, 0), /silent for 300 s/);
  assert.equal(wait.mock.callCount(), 300);
});
