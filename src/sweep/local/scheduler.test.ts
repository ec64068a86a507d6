import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler } from './scheduler.js';

test('runs take the lowest free slot, in their order', () => {
  const scheduler = new Scheduler(['a', 'b', 'c', 'd'], { jobs: 2 });
  assert.deepEqual([scheduler.begin('a'), scheduler.begin('b')], [0, 1]);
  assert.equal(scheduler.hasFreeSlot, false);
  assert.throws(() => scheduler.begin('c'), RangeError);
  scheduler.putBack('c');
  scheduler.end(0);
  assert.deepEqual([scheduler.begin('c'), scheduler.waiting], [0, ['d']]);
  scheduler.end(1);
  scheduler.end(0);
  assert.equal(scheduler.begin('d'), 0);
});

test('a run that another sweep has keeps its place, and one that is lost to it comes first', () => {
  const scheduler = new Scheduler(['busy', 'next', 'last'], { jobs: 1 });
  const slot = scheduler.begin('next');
  assert.deepEqual(scheduler.waiting, ['busy', 'last']);
  scheduler.putBack('next');
  scheduler.end(slot);
  scheduler.drop('last');
  assert.deepEqual(scheduler.waiting, ['next', 'busy']);
});

test('other sweeps are waited for as long as something runs here, then for the patience', () => {
  const scheduler = new Scheduler(['own', 'busy'], { jobs: 2, patience: 1000 });
  const slot = scheduler.begin('own');
  scheduler.couldNotStart(0);
  scheduler.couldNotStart(5000);
  assert.deepEqual(scheduler.waiting, ['busy'], 'own still runs');
  scheduler.end(slot);
  scheduler.couldNotStart(6000);
  scheduler.couldNotStart(6999);
  assert.deepEqual(scheduler.waiting, ['busy']);
  scheduler.couldNotStart(7000);
  assert.deepEqual(scheduler.waiting, []);
});

test('without a patience it waits to the end', () => {
  const scheduler = new Scheduler(['busy'], { jobs: 1 });
  scheduler.couldNotStart(0);
  scheduler.couldNotStart(1e12);
  assert.deepEqual(scheduler.waiting, ['busy']);
});
