import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);
const results = new URL('results/bench/', root);
const { csv, markdown } = await import(new URL('experiments/gpu/table.mjs', root).href);

const committed = readdirSync(results).filter((name) => /^gpu-\w+\.json$/.test(name));

for (const name of committed) {
  test(`the tables beside ${name} are made from it`, () => {
    const found = JSON.parse(readFileSync(new URL(name, results), 'utf8'));
    const read = (extension: string) =>
      readFileSync(new URL(name.replace('json', extension), results), 'utf8');
    assert.equal(markdown(found), read('md'));
    assert.equal(csv(found), read('csv'));
  });
}

test('there is one', () => assert.ok(committed.length > 0));

test("the check's own case holds on the CPU: the same steps in two processes end in the same bits", async () => {
  const { compareTwice } = await import(new URL('experiments/gpu/parity.mjs', root).href);
  const { sameBits } = await compareTwice({ device: 'cpu', compiler: 'none', steps: 2 });
  assert.ok(sameBits);
});
