import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitSizes } from '../datasets/subset.js';
import { configId } from './identity.js';
import { parseConfig } from './load.js';
import { dropsNeverReached, resolve } from './resolve.js';
import { withPlaces } from './source-positions.js';

const text = 'model: resnet20\nnormalizer: gn\ndata: cifar10\n';
const config = (...overrides: string[]) => parseConfig(text, { file: 'a.yaml', overrides });
const cifar = { train: 50_000, validation: 10_000 };

test('rate and steps of the paper: 8 workers with 2 images, 0.1 per 256, ÷10 after epochs 30, 60 and 90', () => {
  const paper = config(
    'batch={size: 2, workers: 8}',
    'learningRate={base: 0.1, per: 256, dropAt: [30, 60, 90]}',
  );
  const { rate, rateAt, imagesPerStep, stepsPerEpoch, totalSteps } = resolve(paper, cifar);
  assert.deepEqual([rate, imagesPerStep, stepsPerEpoch, totalSteps], [0.00625, 16, 3125, 312_500]);
  const aroundDrops = [30, 60, 90].flatMap((epoch) => [rateAt(epoch * 3125 - 1), rateAt(epoch * 3125)]);
  assert.deepEqual(aroundDrops, [0.00625, 0.000625, 0.000625, 0.0000625, 0.0000625, 0.00000625]);
  assert.equal(rateAt(0), 0.00625);
});

test('drops below 1 are fractions of the training, also within an epoch', () => {
  const { rateAt, totalSteps } = resolve(config('epochs=3', 'batch.size=128'), cifar);
  assert.equal(totalSteps, 1170);
  const rates = [584, 585, 877, 878].map(rateAt);
  assert.deepEqual(rates, [0.1, 0.01, 0.01, 0.001]);
});

test('the last partial batch is dropped', () => {
  assert.equal(resolve(config('batch.size=128'), cifar).stepsPerEpoch, 390);
  assert.equal(resolve(config('batch.size=50000'), cifar).stepsPerEpoch, 1);
});

test('warm-up rises linearly and reaches the rate at its last step', () => {
  const warm = config('learningRate={warmupEpochs: 2, schedule: constant}', 'batch.size=128', 'epochs=4');
  const { rateAt } = resolve(warm, { train: 512, validation: 1 });
  const rates = Array.from({ length: 10 }, (_, step) => rateAt(step));
  assert.deepEqual(rates, [0.0125, 0.025, 0.0375, 0.05, 0.0625, 0.075, 0.0875, 0.1, 0.1, 0.1]);
});

test('cosine falls from the rate after warm-up to nearly 0', () => {
  const cosine = config('learningRate={schedule: cosine, warmupEpochs: 1}', 'batch.size=128', 'epochs=3');
  const { rateAt } = resolve(cosine, { train: 512, validation: 1 });
  assert.deepEqual([rateAt(3), rateAt(4), rateAt(8)], [0.1, 0.1, 0.05]);
  assert.ok(rateAt(11) > 0 && rateAt(11) < 0.01);
  for (let step = 5; step < 12; step++) assert.ok(rateAt(step) < rateAt(step - 1));
});

test("a length in steps: drops in steps, a warm-up from a third of the rate, as in the code of the paper's detectors", () => {
  const detector = config(
    'steps=90000',
    'batch={size: 2, workers: 8}',
    'learningRate={base: 0.02, per: 16, dropAt: [60000, 80000], warmupSteps: 500, warmupFrom: 0.333333333333}',
    'evaluate.everySteps=5000',
  );
  const found = resolve(detector, { train: 118_287, validation: 5_000 });
  const { rate, rateAt, stepsPerEpoch, totalSteps, epochs, rowSteps } = found;
  assert.deepEqual(
    [rate, stepsPerEpoch, totalSteps, epochs, rowSteps],
    [0.02, 7392, 90_000, Math.ceil(90_000 / 7392), 5000],
  );
  const near = (found: number, expected: number) => assert.ok(Math.abs(found / expected - 1) < 1e-9);
  near(rateAt(0), 0.02 / 3);
  near(rateAt(250), (0.02 * 2) / 3);
  assert.ok(rateAt(499) < 0.02);
  assert.deepEqual([500, 59_999, 60_000, 79_999, 80_000].map(rateAt), [0.02, 0.02, 0.002, 0.002, 0.0002]);
  assert.deepEqual(dropsNeverReached(detector), []);
  assert.deepEqual(dropsNeverReached(config('steps=100', 'learningRate.dropAt=[0.5, 100]')), [100]);
});

test('a fraction of a training in steps is of its steps', () => {
  const { rateAt, epochs, totalSteps } = resolve(
    config('steps=1000', 'batch.size=128', 'learningRate.dropAt=[0.5, 0.75]'),
    cifar,
  );
  assert.deepEqual([epochs, totalSteps], [3, 1000]);
  assert.deepEqual([499, 500, 749, 750].map(rateAt), [0.1, 0.01, 0.01, 0.001]);
});

test('a run is called by name and id', () => {
  const { id, runName } = resolve(config('name=study'), cifar);
  assert.equal(id, configId(config()));
  assert.equal(runName, `study-${id}`);
});

test('a step larger than the training set is refused where its size is written', () => {
  const fails = (overrides: string[], place: string, message: RegExp) =>
    assert.throws(() => resolve(config(...overrides), cifar), { place, message });
  fails(['batch.size=50001'], '--set batch.size', /^batch\.size: a batch of 50001 .* 50000 training images$/);
  fails(['batch.workers=2000'], '--set batch.workers', /^batch\.workers: 2000 workers with 32 images each/);
  const written = parseConfig(`${text}batch: { size: 60000 }`, { file: 'a.yaml' });
  assert.throws(() => resolve(written, cifar), { place: 'a.yaml:4:16' });
});

test('splits and subsets', async () => {
  const sizes = (...overrides: string[]) => {
    const written = config(...overrides);
    return withPlaces(written, () => splitSizes(written.data, cifar));
  };
  assert.deepEqual(await sizes(), cifar);
  assert.deepEqual(await sizes('data.validation={fromTrain: 5000}'), { train: 45_000, validation: 5_000 });
  assert.deepEqual(await sizes('data.trainSubset=100', 'data.valSubset=50'), { train: 100, validation: 50 });
  const fails = (overrides: string[], place: string) => assert.rejects(sizes(...overrides), { place });
  await fails(['data.validation.fromTrain=50000'], '--set data.validation.fromTrain');
  await fails(['data.trainSubset=50001'], '--set data.trainSubset');
  await fails(['data.valSubset=10001'], '--set data.valSubset');
  await fails(['data.validation.fromTrain=5000', 'data.trainSubset=45001'], '--set data.trainSubset');
});

const parsed = (more: string, overrides: string[] = []) =>
  parseConfig(text + more, { file: 'a.yaml', overrides });

test('drops beside a schedule that has none are refused, and go when it is set', () => {
  const drops = 'learningRate: { dropAt: [30, 60], factor: 0.5 }\n';
  assert.throws(
    () => parsed(drops.replace('{', '{ schedule: cosine,')),
    /learningRate\.dropAt has no effect with schedule: cosine/,
  );
  const { learningRate } = parsed(drops, ['learningRate.schedule=constant']);
  assert.deepEqual([learningRate.dropAt, learningRate.factor], [[0.5, 0.75], 0.1]);
  assert.deepEqual(parsed(drops, ['learningRate.schedule=step']).learningRate.dropAt, [30, 60]);
});
