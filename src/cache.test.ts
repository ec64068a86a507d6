import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, test } from 'node:test';
import { cacheFolder } from './cache.js';

const saved = { GNBENCH_CACHE: process.env.GNBENCH_CACHE, XDG_CACHE_HOME: process.env.XDG_CACHE_HOME };

function environment(values: Partial<typeof saved>) {
  for (const name of ['GNBENCH_CACHE', 'XDG_CACHE_HOME'] as const) {
    if (values[name] === undefined) delete process.env[name];
    else process.env[name] = values[name];
  }
}

afterEach(() => environment(saved));

test('the cache is $GNBENCH_CACHE, else the XDG cache, else ~/.cache', () => {
  environment({ GNBENCH_CACHE: '/one', XDG_CACHE_HOME: '/two' });
  assert.equal(cacheFolder(), resolve('/one'));
  environment({ GNBENCH_CACHE: 'relative' });
  assert.equal(cacheFolder(), resolve('relative'));
  environment({ XDG_CACHE_HOME: '/two' });
  assert.equal(cacheFolder(), join('/two', 'gnbench'));
  environment({ GNBENCH_CACHE: '', XDG_CACHE_HOME: 'relative' });
  assert.equal(cacheFolder(), join(homedir(), '.cache', 'gnbench'));
});
