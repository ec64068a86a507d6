import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu';
import { parseConfig } from '../config/load.js';
import { loadDataset } from '../datasets/index.js';
import { UserError } from '../errors.js';
import { planRun } from '../models/plan.js';
import { percentiles, readResponses } from '../runs/responses.js';
import { distributionOf } from './responses.js';
import { run } from './run.js';

const scratch = mkdtempSync(join(tmpdir(), 'gnbench-responses-'));
after(() => rmSync(scratch, { recursive: true }));

const config = (layers: string, changes: string[] = []) =>
  parseConfig(
    `
model: { name: resnet20 }
normalizer: { name: batch }
data: { name: synthetic, trainSubset: 16, valSubset: 30 }
batch: { size: 8 }
learningRate: { base: 0.1, per: 8 }
epochs: 2
evaluate: { batchSize: 20 }
log: { responses: ${layers} }
`,
    { file: 'responses.yaml', overrides: changes },
  );

test('percentiles are those of numpy', () => {
  // numpy.percentile(numpy.arange(11)[::-1], [1, 20, 80, 99]), and of a single number.
  assert.deepEqual(
    distributionOf([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]).map((value) => Number(value.toFixed(6))),
    [0.1, 2, 8, 9.9],
  );
  assert.deepEqual(distributionOf([3]), [3, 3, 3, 3]);
});

test('a convolution’s responses to the first validation images, before normalizer and ReLU', async () => {
  const options = {
    mode: 'new' as const,
    eager: false,
    tensorboard: false,
    deterministic: true,
    quiet: true,
    debug: false,
    note: () => undefined,
    stopRequested: () => undefined,
  };
  const out = join(scratch, 'run');
  // With a rate of 0 next to nothing moves, so that the first weights can be compared with.
  const tried = config('[stem.conv, stage3.block2.conv2]', ['learningRate.base=1e-30']);
  await run(tried, { ...options, out });
  const rows = readResponses(join(out, 'responses.csv'));
  assert.deepEqual(
    rows.map(({ epoch, step, layers }) => [epoch, step, Object.keys(layers)]),
    [1, 2].map((epoch) => [epoch, 2 * epoch, ['stem.conv', 'stage3.block2.conv2']]),
  );

  const { tf } = await import('../engine/load.js');
  const { initialize } = await import('../nn/initialize.js');
  const data = await loadDataset(tried.data, { quiet: true });
  const { model } = planRun(tried);
  const { data: weights, shape } = initialize(model.variables, tried.seed)['stem.conv.weight'];
  const responses = tf.tidy(() => {
    const [height, width] = data.shape;
    const count = 30 * height * width * 3;
    const images = tf.tensor(Float32Array.from(data.validation.images.slice(0, count)), [
      30,
      height,
      width,
      3,
    ]);
    const standardized = images.sub(data.mean!).div(data.std!) as Tensor4D;
    return tf
      .conv2d(standardized, tf.tensor4d(weights, shape as [number, number, number, number]), 1, 'same')
      .dataSync();
  });
  const expected = distributionOf(responses);
  for (const { layers } of rows) {
    for (const [index, percentile] of percentiles.entries()) {
      const [found, wanted] = [layers['stem.conv'][index], expected[index]];
      assert.ok(
        Math.abs(found - wanted) < 1e-4 * Math.max(1, Math.abs(wanted)),
        `${percentile} %: ${found}, ${wanted}`,
      );
    }
  }
});

test('what is no convolution of the model is refused with the nearest that is', () => {
  const refused = (layers: string, changes: string[] = []) => {
    try {
      planRun(config(layers, changes));
    } catch (error) {
      assert.ok(error instanceof UserError);
      return `${error.place}: ${error.message}: ${error.fix}`;
    }
    return undefined;
  };
  assert.equal(refused('[stem.conv]'), undefined);
  assert.match(
    refused('[stem.norm]')!,
    /log\.responses: resnet20 has no convolution "stem\.norm": .*stem\.conv/,
  );
  assert.throws(() => config('[stem.conv, stem.conv]'), /names a convolution twice/);
  assert.throws(() => config('[]'), UserError);
});
