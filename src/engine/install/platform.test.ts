import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { installCommand, nvidiaDevices, nvidiaMemory } from './platform.js';

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

test('a device’s memory is that of the first one that is visible', () => {
  const asked: string[] = [];
  const answer = (text: string) => (device: string) => {
    asked.push(device);
    return text;
  };
  process.env.CUDA_VISIBLE_DEVICES = '3,1';
  assert.equal(nvidiaMemory(answer('81559\n')), 81559 * 2 ** 20);
  delete process.env.CUDA_VISIBLE_DEVICES;
  assert.equal(nvidiaMemory(answer('')), undefined);
  assert.equal(nvidiaMemory(answer('No devices were found\n')), undefined);
  assert.deepEqual(asked, ['3', '0', '0']);
});

test('the command to install a tool is one line', () => {
  for (const what of ['compiler', 'pip'] as const) assert.match(installCommand(what), /^\S+ .*\S$/);
});
