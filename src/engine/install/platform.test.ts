import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { installCommand, nvidiaDevices } from './platform.js';

const saved = process.env.CUDA_VISIBLE_DEVICES;
afterEach(() => {
  if (saved === undefined) delete process.env.CUDA_VISIBLE_DEVICES;
  else process.env.CUDA_VISIBLE_DEVICES = saved;
});

test('devices that are hidden are not there', () => {
  for (const hidden of ['', '-1', 'none']) {
    process.env.CUDA_VISIBLE_DEVICES = hidden;
    assert.deepEqual(nvidiaDevices(), []);
  }
  process.env.CUDA_VISIBLE_DEVICES = '0';
  const shown = nvidiaDevices();
  delete process.env.CUDA_VISIBLE_DEVICES;
  assert.deepEqual(nvidiaDevices(), shown);
});

test('the command to install a tool is one line', () => {
  for (const what of ['compiler', 'pip'] as const) assert.match(installCommand(what), /^\S+ .*\S$/);
});
