import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { eachOf } from './each-of.js';

test('results stand in the order of the numbers, and no more than so many are under way', async () => {
  let underWay = 0;
  let most = 0;
  const results = await eachOf(7, 3, async (index) => {
    most = Math.max(most, ++underWay);
    await setTimeout(7 - index);
    underWay--;
    return index * index;
  });
  assert.deepEqual(results, [0, 1, 4, 9, 16, 25, 36]);
  assert.equal(most, 3);
});

test('the failure of the lowest number is thrown, also when a later one fails first; nothing is begun after it', async () => {
  const begun: number[] = [];
  let ended = 0;
  await assert.rejects(
    eachOf(10, 2, async (index) => {
      begun.push(index);
      await setTimeout(index === 1 ? 30 : 5);
      ended++;
      if (index === 1 || index === 2) throw new Error(`number ${index}`);
    }),
    /number 1/,
  );
  assert.deepEqual(begun.length, ended);
  assert.ok(!begun.includes(9));
});
