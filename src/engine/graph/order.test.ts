/** Updates take effect after everything that their step reads, whatever else the step does meanwhile. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { lossAndGradients } from '../gradients.js';
import { loadEngine, tf } from '../load.js';
import type { Step } from '../program.js';
import { CompiledProgram } from './compiled.js';

const names = Array.from({ length: 8 }, (_, index) => `v${index}`);
const ones = { shape: [4], data: new Float32Array(4).fill(1) };
const initial = Object.fromEntries(
  [...names, ...names.map((name) => `${name}.velocity`)].map((name) => [name, ones]),
);

/** The updates need nothing but a feed, so they could run before the reads, which wait behind them. */
const updates: Record<string, (step: Step) => void> = {
  assignments: (step) => {
    for (const name of names) step.assign(name, step.feed('x'));
  },
  SGD: (step) => {
    for (const half of [names.slice(0, 4), names.slice(4)])
      step.momentum({
        variables: half,
        velocities: half.map((name) => `${name}.velocity`),
        gradients: half.map(() => step.feed('x')),
        decayed: half.map(() => false),
        rate: tf.scalar(1),
        weightDecay: 0,
        momentum: 0.5,
        nesterov: false,
      });
  },
  'running averages': (step) =>
    step.movingAverage({
      variables: names,
      values: names.map(() => step.feed('x')),
      scales: names.map(() => 1),
      workers: names.map(() => 1),
      momentum: 0.5,
    }),
};

describe('a compiled step that reads what it updates', () => {
  before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 1, interOp: 1 }, quiet: true }));

  for (const [kind, update] of Object.entries(updates)) {
    it(`sees the values from before its ${kind}, even those that it reads last`, () => {
      const program = new CompiledProgram(initial);
      const run = program.define('step', { x: { shape: [4], dtype: 'float32' } }, (step) => {
        update(step);
        const square = tf.ones([200, 200]).mul(step.feed('x').sum());
        const slow = square
          .matMul(square as typeof square)
          .sum()
          .mul(0);
        return { seen: tf.stack(names.map((name) => step.variable(name))).add(slow) };
      });
      for (let repeat = 0; repeat < 5; repeat++) {
        program.write(initial);
        const { seen } = run({ x: Float32Array.of(2, 2, 2, 2) });
        assert.deepEqual([...seen], Array(4 * names.length).fill(1));
        for (const { data } of Object.values(program.read(names))) assert.notEqual(data[0], 1);
      }
      program.dispose();
    });
  }

  it('may read a variable first where it differentiates, and again behind that', () => {
    const program = new CompiledProgram({ w: ones, mean: ones });
    const run = program.define('step', {}, (step) => {
      const loss = () => step.variable('w').sub(step.variable('mean')).square().sum();
      const { gradients } = lossAndGradients(loss, [step.variable('w')]);
      step.assign('mean', step.variable('mean').mul(0.5));
      return { gradient: gradients[0] };
    });
    assert.deepEqual([...run({}).gradient], [0, 0, 0, 0]);
    assert.deepEqual([...program.read(['mean']).mean.data], [0.5, 0.5, 0.5, 0.5]);
    program.dispose();
  });
});
