/** Frozen parts and rates of parts, eager and compiled. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { parseConfig } from '../config/load.js';
import { EagerProgram } from '../engine/eager.js';
import { CompiledProgram } from '../engine/graph/compiled.js';
import { kernels } from '../engine/kernel-table.js';
import { tf } from '../engine/load.js';
import type { MomentumUpdate, Program, Step } from '../engine/program.js';
import { loadTestEngine } from '../engine/testing/test-engine.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { isFrozen } from '../models/parameter-groups.js';
import { formulaValues } from '../models/testing/formula.js';
import { withOptimizerSlots } from '../runs/optimizer-slots.js';
import { classification } from '../tasks/classification.js';
import type { Network } from './network.js';
import { defineTraining } from './step.js';
import { applyGradients } from './updates.js';

before(() => loadTestEngine());

const imageSize = 32 * 32 * 3;
const batch = {
  images: Uint8Array.from({ length: 4 * imageSize }, (_, i) => (i * 31 + (i >> 7) * 17) % 256),
  labels: Int32Array.of(0, 3, 6, 9),
};

function networkOf(normalizer: string, optimizer: string, more = ''): Network {
  const text = `model: resnet20\nnormalizer: ${normalizer}\ndata: cifar10\nbatch: { size: 4 }\noptimizer: ${optimizer}\n${more}`;
  const config = parseConfig(text, { file: 'test.yaml' });
  const model = createModel(config.model, 10);
  const shape = [32, 32, 3];
  const { variables } = describeModel(model, config.normalizer, { shape });
  const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
  return { config, model, task: classification(), variables, shape, pixels, kernels: kernels('kernels') };
}

function initialOf({ variables, config: { optimizer } }: Network) {
  const values = formulaValues(variables);
  // The formula has them below 0 too, and to be divided by.
  for (const [name, { data }] of Object.entries(values)) if (name.endsWith('.sigma')) data.fill(1);
  return withOptimizerSlots(variables, values, { averaged: optimizer.emaDecay > 0, optimizer });
}

function train(network: Network, form: 'eager' | 'compiled', { steps = 1, rate = 0.05 } = {}) {
  const initial = initialOf(network);
  const program: Program = form === 'eager' ? new EagerProgram(initial) : new CompiledProgram(initial);
  const trainOn = defineTraining(program, network);
  let loss = 0;
  for (let step = 0; step < steps; step++) loss = trainOn(batch, rate, { step, fractionDone: 0 }).loss;
  const values = program.read();
  program.dispose();
  return { loss, values, initial };
}

const norm = (data: ArrayLike<number>) =>
  Math.sqrt(Array.from(data).reduce((sum, value) => sum + value ** 2, 0));
const distance = (one: ArrayLike<number>, other: ArrayLike<number>) =>
  norm(Array.from(one, (value, index) => value - other[index]));

describe('frozen parts', () => {
  for (const normalizer of ['batch', 'batch-renorm', 'sync-batch', 'group']) {
    for (const form of ['eager', 'compiled'] as const) {
      it(`of ${normalizer} do not move by one bit, running statistics and averages included (${form})`, () => {
        const network = networkOf(normalizer, '{ frozen: [stem, stage1, stage3.block0], emaDecay: 0.9 }');
        const { values, initial } = train(network, form, { steps: 3, rate: 0.001 });
        for (const { name, role } of network.variables) {
          const moved = distance(values[name].data, initial[name].data) > 0;
          const frozen = isFrozen(network.config.optimizer, name);
          assert.equal(moved, !frozen, name);
          assert.equal(`${name}.velocity` in values, !frozen && role !== 'statistic', name);
          if (frozen) assert.deepEqual(values[`${name}.average`].data, initial[name].data, name);
        }
      });
    }
  }

  for (const normalizer of ['batch', 'batch-renorm', 'group']) {
    it(`of ${normalizer} give the same gradients to the rest, eager and compiled`, () => {
      const network = networkOf(normalizer, '{ frozen: [stage2], rates: { stem: 0.5, head: 10 } }');
      const [eager, compiled] = (['eager', 'compiled'] as const).map((form) => train(network, form));
      assert.ok(Math.abs(compiled.loss - eager.loss) <= 1e-5 * eager.loss);
      assert.ok(norm(eager.values['stem.conv.weight.velocity'].data) > 0);
      for (const [name, { data }] of Object.entries(eager.values)) {
        assert.ok(distance(compiled.values[name].data, data) <= 1e-5 * norm(data), name);
      }
    });
  }

  it('of BN compute with the running statistics, as frozen BN does', () => {
    const frozen = '{ frozen: [stem, stage1, stage2, stage3] }';
    const [ours, theirs] = ['batch', 'frozen-batch'].map((normalizer) =>
      train(networkOf(normalizer, frozen), 'compiled'),
    );
    assert.equal(ours.loss, theirs.loss);
    assert.notEqual(ours.loss, train(networkOf('batch', '{}'), 'compiled').loss);
  });

  it('of frozen BN are γ and β, unless they are trained', () => {
    for (const affine of ['fixed', 'trained']) {
      const network = networkOf(`{ name: frozen-batch, affine: ${affine} }`, '{}');
      const { values, initial } = train(network, 'compiled');
      for (const { name, role } of network.variables) {
        const trains = role === 'weight' || role === 'bias' || (role !== 'statistic' && affine === 'trained');
        assert.equal(distance(values[name].data, initial[name].data) > 0, trains, `${affine}: ${name}`);
        assert.equal(`${name}.velocity` in values, trains, `${affine}: ${name}`);
      }
    }
  });

  it('have no part in micro-steps either', () => {
    const network = networkOf('group', '{ frozen: [stem, stage1, stage2] }');
    const initial = withOptimizerSlots(network.variables, formulaValues(network.variables), {
      parts: 2,
      optimizer: network.config.optimizer,
    });
    assert.ok(!('stem.conv.weight.sum' in initial) && 'head.weight.sum' in initial);
    const program = new CompiledProgram(initial);
    const { loss } = defineTraining(program, network, 2)(batch, 0.05, { step: 0, fractionDone: 0 });
    const whole = train(network, 'compiled');
    assert.ok(Math.abs(loss - whole.loss) <= 1e-5 * whole.loss);
    assert.deepEqual(program.read(['stem.conv.weight']), {
      'stem.conv.weight': initial['stem.conv.weight'],
    });
    program.dispose();
  });
});

describe('parts with another normalizer, rates and decay by role', () => {
  const parts =
    '{ name: group, groups: 8, parts: { stem: { name: batch, momentum: 0.5 }, stage1: batch, stage2: { name: batch-renorm, rMax: 2 }, stage3.block0: none } }';
  const optimizer = '{ rates: { bias: 2, stage1: 0.1 }, decay: { gamma: 0, beta: 0, stage2: 3 } }';

  for (const form of ['eager', 'compiled'] as const) {
    it(`each has the variables of its own, and moves them with its own momentum (${form})`, () => {
      const network = networkOf(parts, '{}');
      const names = new Set(network.variables.map(({ name }) => name));
      assert.ok(names.has('stem.norm.variance') && names.has('stage1.block0.norm1.variance'));
      assert.ok(names.has('stage2.block0.norm1.sigma') && !names.has('stage2.block0.norm1.variance'));
      assert.ok(!names.has('stage3.block0.norm1.gamma'));
      assert.ok(names.has('stage3.block1.norm1.gamma') && !names.has('stage3.block1.norm1.mean'));
      const { values, initial } = train(network, form);
      const alone = train(networkOf('batch', '{}'), form);
      // The stem sees the same images in both: its statistics differ by the momentum alone, 0.5 and 0.9.
      const name = 'stem.norm.mean';
      const moved = values[name].data.map((value, index) => value - initial[name].data[index]);
      const usual = alone.values[name].data.map((value, index) => value - alone.initial[name].data[index]);
      assert.ok(
        distance(
          moved,
          usual.map((value) => 5 * value),
        ) <=
          1e-5 * norm(moved),
      );
      assert.ok(norm(moved) > 0);
    });

    it(`the optimizer treats each parameter by its part and its role (${form})`, () => {
      const usual = train(networkOf(parts, '{}'), form, { rate: 0.5 });
      const grouped = train(networkOf(parts, optimizer), form, { rate: 0.5 });
      const gradientOf = ({ values, initial }: typeof usual, name: string, decay: number) =>
        values[`${name}.velocity`].data.map(
          (value, index) => value - 1e-4 * decay * initial[name].data[index],
        );
      const network = networkOf(parts, optimizer);
      for (const { name, role } of network.variables) {
        if (role === 'statistic') continue;
        const isAffine = role === 'gamma' || role === 'beta';
        const decay = isAffine ? 0 : name.startsWith('stage2.') ? 3 : 1;
        const expected = gradientOf(usual, name, 1);
        const difference = distance(gradientOf(grouped, name, decay), expected);
        assert.ok(difference <= 1e-5 * Math.max(norm(expected), 1e-3), `${name}: ${difference}`);
        const rate = (role === 'bias' ? 2 : 1) * (name.startsWith('stage1.') ? 0.1 : 1);
        const velocity = grouped.values[`${name}.velocity`].data;
        const step = grouped.values[name].data.map(
          (value, index) => grouped.initial[name].data[index] - value,
        );
        const nesterov = velocity.map((value) => 0.5 * rate * 1.9 * value);
        assert.ok(distance(step, nesterov) <= 1e-4 * Math.max(norm(nesterov), 1e-2), name);
      }
    });
  }
});

describe('rates of parts', () => {
  for (const form of ['eager', 'compiled'] as const) {
    it(`multiply the first update, and leave gradients and the other parts as they are (${form})`, () => {
      const plain = train(networkOf('group', '{}'), form);
      const slow = train(networkOf('group', '{ rates: { stage1: 0.1, head: 10 } }'), form);
      const update = ({ values, initial }: typeof plain, name: string) =>
        values[name].data.map((value, index) => value - initial[name].data[index]);
      for (const name of Object.keys(plain.initial)) {
        const of = (part: string) => name.startsWith(`${part}.`);
        const factor = name.endsWith('.velocity') ? 1 : of('stage1') ? 0.1 : of('head') ? 10 : 1;
        const [ours, theirs] = [update(slow, name), update(plain, name)];
        if (factor === 1) assert.deepEqual(ours, theirs, name);
        // A float32 value of about 1 is rounded by up to 6e-8, which its small update has to bear.
        const rounding = 1e-7 * norm(plain.initial[name].data) * Math.max(1, factor);
        const wanted = theirs.map((value) => factor * value);
        assert.ok(distance(ours, wanted) <= 1e-5 * norm(wanted) + rounding, name);
      }
    });
  }

  it('take one update each, and without them it is one for all', () => {
    const count = (optimizer: string) => {
      const network = networkOf('group', optimizer);
      const parameters = network.variables;
      const updates: MomentumUpdate[] = [];
      tf.tidy(() => {
        const zero = tf.scalar(0);
        const step = { feed: () => zero, momentum: (update: MomentumUpdate) => updates.push(update) };
        const gradients = parameters.map(() => zero);
        applyGradients(step as unknown as Step, parameters, gradients, network.config);
      });
      assert.deepEqual(
        updates.flatMap(({ variables }) => variables).sort(),
        parameters.map(({ name }) => name).sort(),
      );
      return updates.length;
    };
    assert.equal(count('{}'), 1);
    assert.equal(count('{ rates: { head: 1 } }'), 1);
    assert.equal(count('{ rates: { stem: 0.1, stage1: 0.1, head: 10 } }'), 3);
  });
});
