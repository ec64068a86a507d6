/** A compiled step by the kernels and by the definitions, for tests that hold the one against the other. */
import assert from 'node:assert/strict';
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { CompiledProgram } from '../../graph/compiled.js';
import { type Kernels, kernels } from '../../kernel-table.js';
import type { Feed, Step, Values } from '../../program.js';

export type Inputs = Record<string, { shape: number[]; data: Float32Array | Int32Array }>;

/** Runs a compiled step with the kernels twice and with the definitions twice: each gives its own bits again. */
export function both(inputs: Inputs, body: (step: Step, use: Kernels) => Record<string, Tensor>) {
  const [own, definition] = (['kernels', 'definitions'] as const).map((use) => {
    const program = new CompiledProgram({}, { kernels: kernels(use) });
    const feeds: Record<string, Feed> = {};
    const values: Record<string, Values> = {};
    for (const [name, { shape, data }] of Object.entries(inputs)) {
      feeds[name] = { shape, dtype: data instanceof Float32Array ? 'float32' : 'int32' };
      values[name] = data;
    }
    const run = program.define('step', feeds, (step) => {
      const found = Object.entries(body(step, kernels(use)));
      return Object.fromEntries(found.map(([name, tensor]) => [name, tensor.cast('float32')]));
    });
    const first = run(values);
    assert.deepEqual(run(values), first, `the same bits again, by ${use}`);
    program.dispose();
    return first;
  });
  return { own, definition };
}

export function assertNear(
  actual: Float32Array,
  expected: Float32Array,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (const [i, value] of actual.entries()) {
    if (!(Math.abs(value - expected[i]) <= tolerance * scale))
      assert.fail(`${what}, element ${i}: ${value}, not ${expected[i]}`);
  }
}

export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
