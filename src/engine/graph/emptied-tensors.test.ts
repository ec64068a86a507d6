/** A recording needs the shapes of what a step computes, not its memory. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { lossAndGradients } from '../gradients.js';
import { backend, tf } from '../load.js';
import { loadTestEngine } from '../testing/test-engine.js';
import { CompiledProgram } from './compiled.js';

const side = 1024;
const megabytes = (side * side * 4) / 2 ** 20;
const initial = { w: { shape: [side, 1], data: new Float32Array(side).fill(0.5) } };

describe('a step that is recorded', () => {
  before(() => loadTestEngine());

  it('does not keep what it computes', () => {
    const program = new CompiledProgram(initial);
    const tensors = backend.binding.getNumOfTensors();
    const operations = 100;
    let most = 0;
    const before = process.memoryUsage.rss();
    program.define('step', {}, (step) => {
      let x = step.variable('w').add(tf.zeros([1, side]));
      for (let operation = 0; operation < operations; operation++) {
        x = x.sin();
        most = Math.max(most, process.memoryUsage.rss());
      }
      return { sum: x.sum() };
    });
    const grown = (most - before) / 2 ** 20;
    assert.ok(grown < (operations * megabytes) / 4, `${grown} MB for ${operations} times ${megabytes} MB`);
    assert.equal(backend.binding.getNumOfTensors(), tensors);
  });

  it('computes and differentiates the values that it has when it is replayed', () => {
    const program = new CompiledProgram(initial);
    const run = program.define('step', { x: { shape: [side], dtype: 'float32' } }, (step) => {
      const product = () =>
        step
          .variable('w')
          .mul(step.feed('x'))
          .reshape([side * side]);
      const { value, gradients } = lossAndGradients(() => product().square().sum(), [step.variable('w')]);
      // Both factors are large and empty while it is recorded.
      return { value, gradient: gradients[0].squeeze(), twice: tf.dot(product(), product()) };
    });
    const { value, gradient, twice } = run({ x: new Float32Array(side).fill(2) });
    assert.deepEqual([value[0], twice[0]], [side * side, side * side]);
    assert.deepEqual([...gradient], Array(side).fill(4 * side));
    program.dispose();
  });
});
