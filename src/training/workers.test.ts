import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { parseConfig } from '../config/load.js';
import { CompiledProgram } from '../engine/graph/compiled.js';
import { kernels } from '../engine/kernel-table.js';
import { loadTestEngine } from '../engine/testing/test-engine.js';
import { sourceOf } from '../input/dataset-source.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { formulaValues } from '../models/testing/formula.js';
import { withOptimizerSlots } from '../runs/optimizer-slots.js';
import { classification } from '../tasks/classification.js';
import type { Network } from './network.js';
import { defineStatistics, statisticsBatch, withPreciseStatistics } from './precise-statistics.js';
import { defineTraining } from './step.js';

before(() => loadTestEngine());

const imageSize = 32 * 32 * 3;
const rate = 0.05;

function networkOf(normalizer: string, size: number, workers: number): Network {
  const text = `model: {name: resnet20}\nnormalizer: {name: ${normalizer}}\ndata: {name: cifar10}\nbatch: {size: ${size}, workers: ${workers}}\n`;
  const config = parseConfig(text, { file: 'test.yaml' });
  const model = createModel(config.model, 10);
  const shape = [32, 32, 3];
  const { variables } = describeModel(model, config.normalizer, { shape });
  const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
  return { config, model, task: classification(), variables, shape, pixels, kernels: kernels('kernels') };
}

function imagesOf(count: number) {
  const images = Uint8Array.from({ length: count * imageSize }, (_, i) => (i * 31 + (i >> 7) * 17) % 256);
  return { images, labels: Int32Array.from({ length: count }, (_, i) => (i * 3) % 10) };
}

/** One step from the formula's weights; loss, errors and all variables after it. */
function stepOf(network: Network, batch: ReturnType<typeof imagesOf>, parts = 1) {
  const program = new CompiledProgram(
    withOptimizerSlots(network.variables, formulaValues(network.variables), { parts }),
  );
  const trainOn = defineTraining(program, network, parts);
  // At the training's end, when BRN's bounds have risen.
  const result = trainOn(batch, rate, { step: 0, fractionDone: 1 });
  const values = program.read();
  program.dispose();
  return { ...result, values };
}

const norm = (data: ArrayLike<number>) =>
  Math.sqrt(Array.from(data).reduce((sum, value) => sum + value ** 2, 0));

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const difference = norm(Array.from(actual, (value, index) => value - expected[index]));
  assert.ok(difference <= 1e-5 * norm(expected), `${what}: ${difference} of ${norm(expected)}`);
}

describe('simulated workers', () => {
  for (const [workers, size] of [
    [2, 4],
    [8, 2],
  ]) {
    it(`BN with ${workers} × ${size} images is ${workers} batches of ${size}, whose gradients are averaged`, () => {
      const batch = imagesOf(workers * size);
      const together = stepOf(networkOf('batch', size, workers), batch);
      const alone = Array.from({ length: workers }, (_, worker) =>
        stepOf(networkOf('batch', size, 1), {
          images: batch.images.subarray(worker * size * imageSize, (worker + 1) * size * imageSize),
          labels: batch.labels.subarray(worker * size, (worker + 1) * size),
        }),
      );
      const mean = (pick: (each: (typeof alone)[number]) => number) =>
        alone.reduce((sum, each) => sum + pick(each), 0) / workers;
      assert.ok(Math.abs(together.loss - mean(({ loss }) => loss)) <= 1e-5 * together.loss);
      assert.equal(together.logged.error, workers * mean(({ logged }) => logged.error));
      for (const [name, { data }] of Object.entries(together.values)) {
        // Running statistics follow the first worker. After one step the rest is linear in the gradient: it averages.
        const isStatistic = name.endsWith('.mean') || name.endsWith('.variance');
        const expected = isStatistic
          ? alone[0].values[name].data
          : data.map((_, index) => mean(({ values }) => values[name].data[index]));
        assertClose(data, expected, name);
      }
    });
  }

  it('a large batch of one worker is something else for BN, the same for GN', () => {
    const batch = imagesOf(8);
    const [name, weight] = ['stage1.block0.conv1.weight.velocity', 'stem.conv.weight'];
    const pairs = ['batch', 'group'].map((normalizer) =>
      [stepOf(networkOf(normalizer, 8, 1), batch), stepOf(networkOf(normalizer, 2, 4), batch)].map(
        ({ values }) => values,
      ),
    );
    assert.throws(() => assertClose(pairs[0][1][name].data, pairs[0][0][name].data, name));
    assertClose(pairs[1][1][name].data, pairs[1][0][name].data, name);
    assertClose(pairs[1][1][weight].data, pairs[1][0][weight].data, weight);
  });
});

describe('micro-steps', () => {
  for (const [normalizer, parts] of [
    ['batch', 2],
    ['batch', 4],
    ['batch-renorm', 2],
    ['batch-renorm', 4],
    ['group', 8],
  ] as const) {
    it(`${parts} parts of a step with ${normalizer} are the whole step`, () => {
      const network = networkOf(normalizer, 2, 4);
      const batch = imagesOf(8);
      const whole = stepOf(network, batch);
      const cut = stepOf(network, batch, parts);
      assert.ok(Math.abs(cut.loss - whole.loss) <= 1e-5 * whole.loss);
      assert.equal(cut.logged.error, whole.logged.error);
      for (const [name, { data }] of Object.entries(whole.values))
        assertClose(cut.values[name].data, data, name);
    });
  }
});

describe('precise statistics', () => {
  it('are those of all images, and are gone afterwards', async () => {
    const network = networkOf('batch', 4, 1);
    const count = 500;
    const { images, labels } = imagesOf(count);
    const split = {
      count,
      images: new Uint8Array(new SharedArrayBuffer(images.length)),
      labels: new Int32Array(new SharedArrayBuffer(labels.byteLength)),
    };
    split.images.set(images);
    split.labels.set(labels);
    const source = sourceOf({ shape: [32, 32, 3], mean: [], train: split, validation: split }, 'train');
    const program = new CompiledProgram(
      withOptimizerSlots(network.variables, formulaValues(network.variables)),
    );
    const step = defineStatistics(program, network, statisticsBatch(count));
    const precise = { step, variables: network.variables, source, images: count };
    const before = program.read();
    let batches = 0;
    const goOn = async () => ++batches < 0;
    const during = await withPreciseStatistics(program, precise, async () => program.read(), goOn);
    assert.ok(during);
    assert.equal(batches, 2);
    assert.deepEqual(program.read(), before);

    // Told to stop at the first of its two batches.
    let asked = 0;
    const stop = async () => ++asked > 0;
    assert.equal(await withPreciseStatistics(program, precise, assert.fail, stop), undefined);
    assert.equal(asked, 1);
    assert.deepEqual(program.read(), before);

    // The stem's convolution is the same whatever the statistics: those of its output can be had in two ways.
    const program2 = new CompiledProgram(
      withOptimizerSlots(network.variables, formulaValues(network.variables)),
    );
    const direct = defineStatistics(program2, network, count)({ images });
    for (const name of ['stem.norm.mean', 'stem.norm.variance'])
      assertClose(during[name].data, direct[name], name);
    for (const each of [program, program2]) each.dispose();
  });

  it('know nothing of those that they replace, Batch Renormalization’s neither', () => {
    const network = networkOf('batch-renorm', 4, 1);
    const { images } = imagesOf(8);
    const values = formulaValues(network.variables);
    const others = Object.fromEntries(
      Object.entries(values).map(([name, { shape, data }]) => {
        const isStatistic = /\.(mean|sigma)$/.test(name);
        return [
          name,
          isStatistic ? { shape, data: data.map((value) => 1.3 * value + 0.15) } : { shape, data },
        ];
      }),
    );
    const [found, again] = [values, others].map((each) => {
      const program = new CompiledProgram(withOptimizerSlots(network.variables, each));
      const measured = defineStatistics(program, network, 8)({ images });
      program.dispose();
      return measured;
    });
    assert.ok(Object.keys(found).length > 30);
    for (const [name, data] of Object.entries(found)) assertClose(again[name], data, name);
  });
});
