import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acrossKinks, assertSummary, type TensorSummary } from './compare.js';
import { formulaValue } from './formula.js';

const gradient = formulaValue('gradient', [3 * 3 * 128 * 128]).data;
const places = [0, 1 / 3, 2 / 3, 1].map((part) => Math.floor(part * gradient.length) - (part === 1 ? 1 : 0));
const summary: TensorSummary = [
  Math.sqrt(product(gradient, gradient)),
  ...places.map((at) => gradient[at]),
  product(gradient, formulaValue('projection', [gradient.length]).data),
];

function product(one: ArrayLike<number>, other: ArrayLike<number>): number {
  return Array.from(one).reduce((sum, value, at) => sum + value * other[at], 0);
}

const tolerances = { 'of ResNet-50': acrossKinks, 'of the others': { norm: 1e-4, typical: 1e-4 } };

for (const [whose, closeness] of Object.entries(tolerances)) {
  describe(`a summary within the tolerance ${whose}`, () => {
    const check = (data: Float32Array) => assertSummary(data, summary, closeness, 'gradient');

    it('is that of the tensor with errors of rounding', () => {
      check(gradient.map((value, at) => value * (1 + 0.1 * closeness.norm * ((at % 3) - 1))));
    });

    it('is not that of the tensor with its sign flipped, in part too', () => {
      const [, third, twoThirds] = places;
      assert.throws(() => check(gradient.map((value) => -value)), /element/);
      const flipped = gradient.map((value, at) => (at > third && at < twoThirds ? -value : value));
      assert.throws(() => check(flipped), /projection/);
    });

    it('is not that of a permuted tensor whose four elements stay', () => {
      const others = gradient.filter((_, at) => !places.includes(at)).reverse();
      let next = 0;
      const permuted = gradient.map((value, at) => (places.includes(at) ? value : others[next++]));
      assert.throws(() => check(permuted), /projection/);
    });

    it('is not that of a tensor of another size', () => {
      assert.throws(() => check(gradient.map((value) => 1.02 * value)), /norm/);
    });
  });
}

it('is not that of a tensor with another element, where elements are held to the size of a typical one', () => {
  const wrong = gradient.slice();
  wrong[places[1]] *= 1.05;
  assert.throws(() => assertSummary(wrong, summary, tolerances['of the others'], 'gradient'), /element 1/);
});
