import assert from 'node:assert/strict';
import { hostname, userInfo } from 'node:os';
import { test } from 'node:test';
import { collectEnvironment, packageVersion } from './environment.js';

const facts = {
  tensorflow: '2.21.0',
  engine: { variant: 'cpu', source: 'wheel' },
  device: 'CPU',
  threads: { intraOp: 1, interOp: 2 },
  data: { 'data_batch_1.bin': 'md5:0' },
};

test('versions, machine and the run’s own facts are there', async () => {
  const environment = await collectEnvironment(facts);
  assert.equal(environment.node, process.versions.node);
  assert.match(environment.gnbench, /^\d+\.\d+\.\d+/);
  assert.equal(environment.gnbench, await packageVersion());
  assert.ok(environment.cpu.model.length > 0 && environment.cpu.cores >= 1 && environment.memoryBytes > 1e8);
  assert.deepEqual(environment.threads, facts.threads);
  assert.deepEqual(environment.data, facts.data);
  if (environment.source) assert.match(environment.source.revision, /^[0-9a-f]{40}$/);
});

test('neither host, user nor home is told', async () => {
  const text = JSON.stringify(await collectEnvironment(facts));
  const { username, homedir } = userInfo();
  for (const secret of [hostname(), `"${username}"`, `${homedir}/`])
    assert.ok(!text.includes(secret), secret);
});
