import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inverse, publishedLayout, transpose } from './published-layouts.js';

/** The definition: element by element. */
function transposed(data: Float32Array, view: number[], axes: number[]): Float32Array {
  const shape = axes.map((axis) => view[axis]);
  return data.map((_, index) => {
    const at = new Array<number>(view.length);
    for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
      at[axes[axis]] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return data[at.reduce((position, each, axis) => position * view[axis] + each, 0)];
  });
}

const views = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 })
  .chain((view) =>
    fc.tuple(
      fc.constant(view),
      fc.shuffledSubarray([...view.keys()], { minLength: view.length, maxLength: view.length }),
    ),
  );

test('axes change places as their definition says, in any number of dimensions', () => {
  fc.assert(
    fc.property(views, ([view, axes]) => {
      const data = Float32Array.from({ length: view.reduce((a, b) => a * b, 1) }, (_, index) => index);
      const moved = transpose(data, view, axes);
      assert.deepEqual(moved, transposed(data, view, axes));
      const shape = axes.map((axis) => view[axis]);
      assert.deepEqual(transpose(moved, shape, inverse(axes)), data);
    }),
  );
});

test('a convolution of three dimensions is laid out as PyTorch has it: filters, channels, kernel', () => {
  const options = { library: 'torchvision', model: 'resnet50' } as const;
  const layout = publishedLayout('stage1.block0.conv1.weight', [3, 1, 2, 5, 4], options);
  assert.deepEqual(layout, { shape: [4, 5, 3, 1, 2], view: [4, 5, 3, 1, 2], axes: [2, 3, 4, 1, 0] });
});
