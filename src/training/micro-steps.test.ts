import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { describe, it } from 'node:test';
import { parseConfig } from '../config/load.js';
import { UserError } from '../errors.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { stepMemory } from '../models/memory.js';
import { checkMemory, memoryOf, partsOf } from './micro-steps.js';

/** A configuration of 2 images a worker on 4 workers, and what its model is. */
function networkOf(normalizer: string, more = '') {
  const text = `model: resnet20\ndata: cifar10\nnormalizer: ${normalizer}\nbatch: { size: 2, workers: 4 }\n${more}`;
  const config = parseConfig(text, { file: 'a.yaml' });
  const model = describeModel(createModel(config.model, 10), config.normalizer, { shape: [32, 32, 3] });
  return { config, model };
}

describe('micro-steps', () => {
  it('are as many as memory needs, of whole workers where they share statistics', () => {
    for (const [normalizer, least] of [
      ['batch', 4],
      ['group', 8],
    ] as const) {
      const { config, model } = networkOf(normalizer);
      assert.equal(partsOf(config, model, 1000), 1);
      assert.equal(partsOf(config, model, 1e-9), least);
    }
  });

  it('of a detector are one for each worker, whatever the memory', () => {
    const detector = 'model: mask-rcnn\ndata: shapes\nnormalizer: group\n';
    const parse = (batch: string) => parseConfig(`${detector}batch: ${batch}\n`, { file: 'a.yaml' });
    const { model } = networkOf('group');
    for (const memoryGB of [1000, 1e-9]) {
      assert.equal(partsOf(parse('{ size: 2, workers: 8 }'), model, memoryGB), 8);
      assert.equal(partsOf(parse('{ size: 2 }'), model, memoryGB), 1);
    }
    assert.equal(partsOf(parse('{ size: 2, workers: 8, microSteps: 8 }'), model), 8);
    assert.throws(
      () => parse('{ size: 2, workers: 8, microSteps: 16 }'),
      /is 16, and a detector's step has a part/,
    );
    const synchronized = detector.replace('group', 'sync-batch');
    parseConfig(`${synchronized}batch: { size: 16, workers: 1 }\n`, { file: 'a.yaml' });
    assert.throws(
      () => parseConfig(`${synchronized}batch: { size: 2, workers: 8 }\n`, { file: 'a.yaml' }),
      /batch\.workers is 8, and sync-batch .* choose batch, or 1 worker of 16 images/,
    );
  });

  it('do not depend on what is free at the moment', (context) => {
    const { config, model } = networkOf('group', 'engine: { variant: cpu }');
    const before = partsOf(config, model);
    context.mock.method(os, 'freemem', () => 1);
    syncBuiltinESMExports();
    try {
      assert.equal(partsOf(config, model), before);
    } finally {
      context.mock.restoreAll();
      syncBuiltinESMExports();
    }
  });

  it('are those of engine.memoryGB, which goes before what the machine has', () => {
    const { config, model } = networkOf('group', 'engine: { memoryGB: 0.0001 }');
    assert.equal(memoryOf(config), 0.0001);
    assert.equal(partsOf(config, model), 8);
    // The estimate is 40 % of it, to the byte.
    const { total } = stepMemory({ ...config, batch: { ...config.batch, microSteps: 2 } }, model);
    const memoryGB = total / 2 ** 30 / 0.4;
    assert.equal(partsOf(config, model, memoryGB * 1.001), 2);
    assert.equal(partsOf(config, model, memoryGB * 0.999), 4);
  });

  it('get their share of the machine’s memory beside other runs of a sweep', () => {
    const { config } = networkOf('group', 'engine: { variant: cpu }');
    const whole = memoryOf(config);
    const saved = process.env.GNBENCH_MEMORY_SHARE;
    try {
      process.env.GNBENCH_MEMORY_SHARE = '0.25';
      assert.ok(Math.abs(memoryOf(config) - whole / 4) < 0.002);
      process.env.GNBENCH_MEMORY_SHARE = 'nonsense';
      assert.equal(memoryOf(config), whole);
    } finally {
      if (saved === undefined) delete process.env.GNBENCH_MEMORY_SHARE;
      else process.env.GNBENCH_MEMORY_SHARE = saved;
    }
  });

  it('are refused where even the most of them leave a step larger than the machine’s memory', () => {
    const { config, model } = networkOf('batch');
    const needed = (microSteps: number) =>
      stepMemory({ ...config, batch: { ...config.batch, microSteps } }, model).total;
    const check = (memory: number, microSteps: number | 'auto' = 'auto', devices: string[] = []) =>
      checkMemory({ ...config, batch: { ...config.batch, microSteps } }, model, { memory, devices });
    check(needed(4));
    const refusal = (place: string, message: RegExp, fix: RegExp) => (error: unknown) =>
      error instanceof UserError &&
      error.place === place &&
      message.test(error.message) &&
      fix.test(error.fix!);
    assert.throws(
      () => check(needed(4) - 1),
      refusal(
        'batch.size',
        /2 images at once needs about 0\.0 GiB, and this process may use 0\.0/,
        /smaller batch/,
      ),
    );
    assert.throws(
      () => check(needed(2) - 1, 2),
      refusal('batch.microSteps', /4 images at once/, /auto, or to 4$/),
    );
    check(0, 'auto', ['nvidia0']);
  });
});
