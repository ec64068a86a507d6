import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DataType } from '../data-type.js';
import { backend, type OpAttribute } from '../load.js';
import { bools, floats, ints, text, type } from '../operation.js';
import { loadTestEngine } from '../testing/test-engine.js';

const shapeAttribute = (name: string, value: number[]): OpAttribute => ({
  name,
  type: backend.binding.TF_ATTR_SHAPE,
  value,
});
const dtype = () => type('dtype', DataType.float);
let variables = 0;

const run = (op: string, attributes: OpAttribute[], inputs: number[], outputs: number) =>
  backend.binding.executeOp(op, attributes, inputs, outputs).map(({ id }) => id);
const tensor = (shape: number[], data: Float32Array) =>
  backend.binding.createTensor(shape, DataType.float, data);
const scalar = (value: number) => tensor([], Float32Array.of(value));

function variable(data: Float32Array, shape = [data.length]): number {
  const [handle] = run(
    'VarHandleOp',
    [dtype(), shapeAttribute('shape', shape), text('container', ''), text('shared_name', `v${variables++}`)],
    [],
    1,
  );
  run('AssignVariableOp', [dtype()], [handle, tensor(shape, data)], 0);
  return handle;
}
const readId = (handle: number) => run('ReadVariableOp', [dtype()], [handle], 1)[0];
const read = (handle: number) => Float32Array.from(backend.binding.tensorDataSync(readId(handle)));

const values = (count: number, step: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * step + step));

function assertClose(actual: Float32Array, expected: Float64Array): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++)
    if (!(Math.abs(actual[i] - expected[i]) <= 5e-7 * Math.max(1, Math.abs(expected[i]))))
      assert.fail(`element ${i}: ${actual[i]} where ${expected[i]} is right`);
}

describe('operations that update variables', () => {
  before(() => loadTestEngine({ threads: { intraOp: 2, interOp: 1 }, compiler: 'none' }));

  for (const nesterov of [false, true]) {
    it(`GnbenchSgd, ${nesterov ? 'Nesterov' : 'plain'} momentum, two steps`, () => {
      const sizes = [3, 100_000, 17, 1];
      const decayMask = [true, true, false, true];
      const [rate, decay, momentum] = [0.1, 0.01, 0.9].map(Math.fround);
      const w = sizes.map((size, i) => Float64Array.from(values(size, i + 0.3)));
      const v = sizes.map((size, i) => Float64Array.from(values(size, i + 0.7)));
      const handles = w.map((data) => variable(Float32Array.from(data)));
      const velocities = v.map((data) => variable(Float32Array.from(data)));
      const attributes = [
        ints('N', sizes.length),
        floats('momentum', momentum),
        bools('nesterov', nesterov),
        bools('decay_mask', decayMask),
      ];
      for (let step = 0; step < 2; step++) {
        const gradients = sizes.map((size, i) => values(size, i + step + 0.1));
        const inputs = gradients.map((data) => tensor([data.length], data));
        run('GnbenchSgd', attributes, [...handles, ...velocities, ...inputs, scalar(rate), scalar(decay)], 0);
        for (const [i, gradient] of gradients.entries()) {
          for (let j = 0; j < gradient.length; j++) {
            const g = gradient[j] + (decayMask[i] ? decay * w[i][j] : 0);
            v[i][j] = momentum * v[i][j] + g;
            w[i][j] -= rate * (nesterov ? g + momentum * v[i][j] : v[i][j]);
          }
        }
      }
      for (const i of sizes.keys()) {
        assertClose(read(handles[i]), w[i]);
        assertClose(read(velocities[i]), v[i]);
      }
    });
  }

  it('GnbenchSgd leaves a value that was read before as it was', () => {
    const [w, v] = [variable(Float32Array.of(1, 2)), variable(new Float32Array(2))];
    const before = readId(w);
    const attributes = [
      ints('N', 1),
      floats('momentum', 0.9),
      bools('nesterov', false),
      bools('decay_mask', [true]),
    ];
    run('GnbenchSgd', attributes, [w, v, tensor([2], Float32Array.of(1, 1)), scalar(1), scalar(0)], 0);
    assert.deepEqual([...backend.binding.tensorDataSync(before)], [1, 2]);
    assert.deepEqual([...read(w)], [0, 1]);
  });

  it('GnbenchSgd refuses what does not fit', () => {
    const attributes = (mask: boolean[]) => [
      ints('N', 1),
      floats('momentum', 0.9),
      bools('nesterov', false),
      bools('decay_mask', mask),
    ];
    const [w, v] = [variable(new Float32Array(2)), variable(new Float32Array(2))];
    const gradient = tensor([3], new Float32Array(3));
    const rest = [scalar(1), scalar(0)];
    assert.throws(
      () => run('GnbenchSgd', attributes([true]), [w, v, gradient, ...rest], 0),
      /its gradient \[3\]/,
    );
    assert.throws(() => run('GnbenchSgd', attributes([true]), [w, w, gradient, ...rest], 0), /given twice/);
    assert.throws(
      () => run('GnbenchSgd', attributes([]), [w, v, gradient, ...rest], 0),
      /0 values for 1 var/,
    );
  });

  const averaging = (count: number, workers: number[]) => [
    ints('N', count),
    floats('momentum', 0.9),
    floats('scales', [1, 1.25].slice(0, count)),
    ints('workers', workers),
  ];

  it('GnbenchMovingAverage takes the first of the rows that a value has for its workers', () => {
    const data = [values(16, 0.2), values(5, 0.4)];
    const news = [values(16, 0.6), values(3 * 5, 0.8)];
    const handles = data.map((value) => variable(value));
    const inputs = [tensor([1, 16], news[0]), tensor([3, 5], news[1])];
    run('GnbenchMovingAverage', averaging(2, [1, 3]), [...handles, ...inputs], 0);
    for (const [i, handle] of handles.entries()) {
      const expected = Float64Array.from(data[i], (old, j) => 0.9 * old + 0.1 * [1, 1.25][i] * news[i][j]);
      assertClose(read(handle), expected);
    }
  });

  it('GnbenchMovingAverage refuses a value that is longer or shorter than its workers make it', () => {
    const move = (workers: number[], length: number) => () =>
      run(
        'GnbenchMovingAverage',
        averaging(1, workers),
        [variable(new Float32Array(4)), tensor([length], new Float32Array(length))],
        0,
      );
    assert.throws(move([1], 8), /variable 0 has shape \[4\], its new value \[8\] of 1 workers/);
    assert.throws(move([2], 4), /its new value \[4\] of 2 workers/);
    assert.throws(move([], 4), /workers has 0 values for 1 var/);
  });
});
