import assert from 'node:assert/strict';
import test from 'node:test';
import type { MeanWithInterval } from './statistics.js';
import { verdictInWords, verdictOn } from './verdict.js';

const ours = (low: number, high: number): MeanWithInterval => ({
  mean: (low + high) / 2,
  n: 3,
  interval: [low, high],
});
const judge = (published: number | undefined, estimate?: MeanWithInterval, more = {}) =>
  verdictOn({ published, ours: estimate, missing: false, diverged: false, aboutEqual: 0.5, ...more });

/** `direction/size`, `equality/size`, or the outcome alone. */
const verdict = (...args: Parameters<typeof judge>): string => {
  const found = judge(...args);
  if (found.outcome === 'effect') return `${found.direction}/${found.size}`;
  return found.outcome === 'equality' ? `equality/${found.size}` : found.outcome;
};

test('what is missing or diverged has no direction', () => {
  assert.equal(verdict(11.1, ours(4, 5), { diverged: true }), 'diverged');
  assert.equal(verdict(11.1, undefined, { missing: true }), 'missing');
  assert.equal(verdict(11.1, undefined, { missing: true, diverged: true }), 'diverged');
});

test('a single seed, or disjoint ones, are too few; two are never', () => {
  assert.equal(verdict(11.1, { mean: 11, n: 1 }), 'too few seeds');
  assert.equal(verdict(11.1), 'too few seeds');
  for (const published of [undefined, -10.6, -0.5, 0, 0.5, 11.1]) {
    for (const [low, high] of [
      [-60, 60],
      [-2, 2],
      [-0.1, 0.1],
      [0, 5],
      [3, 5],
      [-12, -10],
    ]) {
      const words = verdictInWords(judge(published, { ...ours(low, high), n: 2 }));
      assert.doesNotMatch(words, /few/, `${published}, ${low} to ${high}`);
    }
  }
});

test('an interval that leaves out the paper’s size says so, whether or not it holds zero', () => {
  // GN − BN at 2 images a worker, over three seeds.
  const words = (published: number, low: number, high: number) =>
    verdictInWords(judge(published, ours(low, high)));
  assert.equal(words(-10.6, -2.07, 1.71), 'direction open, the interval leaves out the paper’s size');
  assert.equal(words(11.1, 3.41, 4.25), 'agrees in direction, the interval leaves out the paper’s size');
  assert.equal(words(11.1, -5, -1), 'opposite in direction, the interval leaves out the paper’s size');
  assert.equal(words(11.1, -1, 20), 'open: the interval holds zero and the paper’s value');
});

test('direction and size of the paper’s effect are two answers', () => {
  assert.equal(verdict(11.1, ours(9, 14)), 'agrees/agrees');
  assert.equal(verdict(11.1, ours(3, 5)), 'agrees/excluded', 'a smaller effect');
  assert.equal(verdict(11.1, ours(12, 15)), 'agrees/excluded', 'a larger effect');
  assert.equal(
    verdict(11.1, ours(0.1, 11.2)),
    'agrees/agrees',
    'wide, with the paper’s value within twice ours',
  );
  assert.equal(verdict(11.1, ours(0.1, 11)), 'agrees/excluded', 'a hair outside is outside');
  assert.equal(verdict(1.2, ours(1.3, 1.5)), 'agrees/excluded', 'so it is where the difference is small');
  assert.equal(verdict(4, ours(1, 60)), 'agrees/open', 'too wide to judge the size');
  assert.equal(verdict(0.6, ours(0.05, 0.7)), 'agrees/agrees', 'within half a point');
  assert.equal(verdict(11.1, ours(-1, 20)), 'open/open', 'zero is inside');
  assert.equal(verdict(11.1, ours(0, 5)), 'open/excluded', 'zero itself decides nothing');
  assert.equal(verdict(11.1, ours(-0.4, 0.5)), 'open/excluded', 'no effect of any size');
  assert.equal(verdict(11.1, ours(-5, -1)), 'opposite/excluded');
});

test('the rule is the same for an effect downwards', () => {
  const cases: [number, number][] = [
    [9, 14],
    [3, 5],
    [0.1, 11],
    [1, 60],
    [-1, 20],
    [-5, -1],
    [-0.4, 0.5],
  ];
  for (const [low, high] of cases) {
    assert.equal(verdict(-10.6, ours(-high, -low)), verdict(10.6, ours(low, high)), `${low} to ${high}`);
  }
});

test('about equal is agreed with only when the interval is narrow, and has no direction', () => {
  for (const published of [0, 0.5, -0.1]) {
    assert.equal(verdict(published, ours(-0.8, 0.9)), 'equality/agrees');
    assert.equal(verdict(published, ours(-3, 3)), 'equality/open');
    assert.equal(verdict(published, ours(0.4, 3)), 'equality/open');
    assert.equal(verdict(published, ours(0.6, 3)), 'equality/excluded');
    assert.equal(verdict(published, ours(-3, -0.6)), 'equality/excluded');
    assert.equal(verdict(published, ours(0.6, 0.9)), 'equality/excluded', 'within a point, but an effect');
  }
});

test('where the paper says nothing, a difference is one when zero is out', () => {
  assert.equal(verdict(undefined, ours(0.1, 3)), 'differs');
  assert.equal(verdict(undefined, ours(-3, -0.1)), 'differs');
  assert.equal(verdict(undefined, ours(-3, 0.1)), 'no difference seen');
  assert.equal(verdict(undefined, { mean: 3, n: 1 }), 'too few seeds');
});

test('a metric of another scale has its own size of about equal', () => {
  const estimate = ours(0.01, 0.03);
  assert.equal(verdict(0.1, estimate), 'equality/agrees');
  assert.equal(verdict(0.1, estimate, { aboutEqual: 0.005 }), 'agrees/excluded');
});
