import assert from 'node:assert/strict';
import test from 'node:test';
import type { Estimate } from './statistics.js';
import { type Verdict, verdictOn } from './verdict.js';

const ours = (low: number, high: number): Estimate => ({
  mean: (low + high) / 2,
  n: 3,
  interval: [low, high],
});
const verdict = (published: number | undefined, estimate?: Estimate, more = {}): Verdict =>
  verdictOn({ published, ours: estimate, missing: false, diverged: false, ...more });

test('what is missing or diverged has no direction', () => {
  assert.equal(verdict(11.1, ours(4, 5), { diverged: true }), 'diverged');
  assert.equal(verdict(11.1, undefined, { missing: true }), 'missing');
  assert.equal(verdict(11.1, undefined, { missing: true, diverged: true }), 'diverged');
});

test('a single seed, or disjoint ones, give no verdict', () => {
  assert.equal(verdict(11.1, { mean: 11, n: 1 }), 'too few seeds');
  assert.equal(verdict(11.1), 'too few seeds');
});

test('an effect of the paper’s', () => {
  assert.equal(verdict(11.1, ours(9, 14)), 'direction and size');
  assert.equal(verdict(11.1, ours(3, 5)), 'direction only', 'a smaller effect');
  assert.equal(verdict(11.1, ours(0.5, 9)), 'direction only', 'the paper’s value is outside');
  assert.equal(
    verdict(11.1, ours(0.1, 11.2)),
    'direction and size',
    'wide, with the paper’s within twice ours',
  );
  assert.equal(verdict(11.1, ours(0.1, 11.0)), 'direction only');
  assert.equal(verdict(11.1, ours(-1, 20)), 'too few seeds', 'zero is inside');
  assert.equal(verdict(11.1, ours(0, 5)), 'too few seeds', 'zero itself decides nothing');
  assert.equal(verdict(11.1, ours(-5, -1)), 'not');
  assert.equal(verdict(11.1, ours(-0.4, 0.5)), 'not', 'no effect of any size');
  assert.equal(verdict(1.2, ours(1.3, 1.5)), 'direction and size', 'within half a point of the paper’s');
});

test('the rule is the same for an effect downwards', () => {
  const cases: [number, number][] = [
    [9, 14],
    [3, 5],
    [0.1, 11],
    [-1, 20],
    [-5, -1],
    [-0.4, 0.5],
  ];
  for (const [low, high] of cases) {
    assert.equal(verdict(-10.6, ours(-high, -low)), verdict(10.6, ours(low, high)), `${low} to ${high}`);
  }
});

test('no effect is agreed with only when the interval is narrow', () => {
  for (const published of [0, 0.5, -0.1]) {
    assert.equal(verdict(published, ours(-0.8, 0.9)), 'direction and size');
    assert.equal(verdict(published, ours(-3, 3)), 'too few seeds');
    assert.equal(verdict(published, ours(0.4, 3)), 'too few seeds');
    assert.equal(verdict(published, ours(0.6, 3)), 'not');
    assert.equal(verdict(published, ours(-3, -0.6)), 'not');
    assert.equal(verdict(published, ours(0.6, 0.9)), 'not', 'within a point, but an effect');
  }
});

test('where the paper says nothing, a difference is one when zero is out', () => {
  assert.equal(verdict(undefined, ours(0.1, 3)), 'differs');
  assert.equal(verdict(undefined, ours(-3, -0.1)), 'differs');
  assert.equal(verdict(undefined, ours(-3, 0.1)), 'no difference seen');
  assert.equal(verdict(undefined, { mean: 3, n: 1 }), 'too few seeds');
});
