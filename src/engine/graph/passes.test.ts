import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataType } from '../data-type.js';
import { toBfloat16 } from './bfloat16.js';
import { fuseAdditions } from './fuse.js';
import type { Node, Output } from './graph.js';

const map = [2, 4, 4, 16];

function node(name: string, op: string, inputs: Output[], attributes: Node['attributes'] = {}): Node {
  return { name, op, inputs, after: [], attributes, outputs: [{ dtype: DataType.float, shape: map }] };
}
const output = (name: string, index = 0): Output => ({
  node: name,
  index,
  dtype: DataType.float,
  shape: map,
});
const type = { T: { kind: 'type', value: DataType.float } } as const;

describe('fuseAdditions', () => {
  const backprop = node('backprop', 'GnbenchConvBackpropInput', [output('dy'), output('w'), output('none')], {
    has_addend: { kind: 'bool', value: false },
  });
  const add = node('add', 'AddV2', [output('other'), output('backprop')], type);
  const sources = ['dy', 'w', 'none', 'other'].map((name) => node(name, 'Placeholder', []));

  it('starts the convolution from the other summand', () => {
    const nodes = fuseAdditions([...sources, backprop, add, node('user', 'Relu', [output('add')], type)]);
    assert.deepEqual(
      nodes.slice(4).map(({ name, op, inputs }) => [name, op, inputs.map(({ node: source }) => source)]),
      [
        ['add', 'GnbenchConvBackpropInput', ['dy', 'w', 'other']],
        ['user', 'Relu', ['add']],
      ],
    );
    assert.deepEqual(nodes[4].attributes.has_addend, { kind: 'bool', value: true });
  });

  it('leaves a result alone that somebody else wants', () => {
    const nodes = [...sources, backprop, add, node('user', 'Relu', [output('backprop')], type)];
    assert.deepEqual(fuseAdditions(nodes), nodes);
  });

  it('leaves a sum of unlike shapes alone', () => {
    const small = { ...output('other'), shape: [16] };
    const nodes = [...sources, backprop, node('add', 'AddV2', [small, output('backprop')], type)];
    assert.deepEqual(fuseAdditions(nodes), nodes);
  });
});

describe('toBfloat16', () => {
  it('casts where float32 and bfloat16 meet, and once a tensor', () => {
    const nodes = toBfloat16([
      node('x', 'Placeholder', []),
      node('w', 'Placeholder', []),
      node('conv', 'Conv2D', [output('x'), output('w')], type),
      node('relu', 'Relu', [output('conv')], type),
      node('conv2', 'Conv2D', [output('relu'), output('w')], type),
      node('sum', 'AddV2', [output('conv2'), output('relu')], type),
      node('mean', 'Mean', [output('sum')], type),
    ]);
    const lines = nodes.map(({ name, op, inputs, attributes }) => {
      const low = attributes.T?.kind === 'type' && attributes.T.value === DataType.bfloat16;
      return `${op}${low ? ' low' : ''} ${name}(${inputs.map((input) => input.node).join(', ')})`;
    });
    assert.deepEqual(lines, [
      'Placeholder x()',
      'Placeholder w()',
      'Cast x/cast_0_down(x)',
      'Cast w/cast_0_down(w)',
      'Conv2D low conv(x/cast_0_down, w/cast_0_down)',
      'Relu low relu(conv)',
      'Conv2D low conv2(relu, w/cast_0_down)',
      'AddV2 low sum(conv2, relu)',
      'Cast sum/cast_0_up(sum)',
      'Mean mean(sum/cast_0_up)',
    ]);
  });

  const lowOps = (nodes: Node[]) =>
    toBfloat16(nodes)
      .filter(({ attributes: { T } }) => T?.kind === 'type' && T.value === DataType.bfloat16)
      .map(({ name }) => name);

  it('takes feature maps of three dimensions as those of two', () => {
    const outputs = [{ dtype: DataType.float, shape: [2, 3, 4, 4, 16] }];
    const nodes = [
      node('x', 'Placeholder', []),
      node('w', 'Placeholder', []),
      node('conv', 'Conv3D', [output('x'), output('w')], type),
      node('relu', 'Relu', [output('conv')], type),
      node('frames', 'Reshape', [output('relu'), output('shape')], type),
      node('mean', 'Mean', [output('frames')], type),
    ];
    assert.deepEqual(lowOps(nodes.map((each) => ({ ...each, outputs }))), ['conv', 'relu', 'frames']);
  });

  for (const op of ['Conv2DBackpropFilter', 'Conv3DBackpropFilterV2']) {
    it(`adds to ${op} in float32`, () => {
      const nodes = [
        node('x', 'Placeholder', []),
        node('shape', 'Const', []),
        node('dy', 'Placeholder', []),
        node('dw', op, [output('x'), output('shape'), output('dy')], type),
        node('decay', 'Placeholder', []),
        node('sum', 'AddV2', [output('dw'), output('decay')], type),
      ];
      assert.deepEqual(lowOps(nodes), ['dw']);
    });
  }

  it('leaves sums of vectors in float32', () => {
    const vector = { ...node('a', 'Placeholder', []), outputs: [{ dtype: DataType.float, shape: [16] }] };
    const sum = { ...node('sum', 'AddV2', [output('a'), output('a')], type), outputs: vector.outputs };
    assert.deepEqual(toBfloat16([vector, sum]), [vector, sum]);
  });
});
