/** The addon with the operations for a GPU is compiled, and loads beside the engine of the CPU without harm. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CudaAddon, load } from '../../cuda-kernels.js';
import { cudaAddon } from '../../install/addon.js';
import { compile, findCompiler } from '../../install/compiler.js';
import { defaultSource } from '../../install/platform.js';
import { tensorflowVersion } from '../../install/wheels.js';
import { kernels } from '../../kernel-table.js';
import { loadEngine } from '../../load.js';
import { bools, type } from '../../operation.js';
import { runOp } from '../testing/direct.js';

const skip = defaultSource() !== 'wheel' && 'the wheel is for Linux with glibc on x64';

describe('the operations for a GPU', { skip }, () => {
  let scratch: string;
  let addon: CudaAddon;
  before(async () => {
    await loadEngine({ variant: 'cpu', threads: { intraOp: 1, interOp: 1 }, quiet: true });
    scratch = mkdtempSync(join(tmpdir(), 'gnbench-cuda-ops-'));
    const compiler = await findCompiler();
    assert.ok(compiler, 'there is no C++ compiler');
    const library = `tensorflow-${tensorflowVersion}-cpu-${process.platform}-${process.arch}`;
    const { sources, linkFlags } = await cudaAddon({ name: library, wheel: '' });
    const quick = sources.map(({ path, flags }) => ({ path, flags: [...flags, '-O0'] }));
    const output = join(scratch, 'cuda.node');
    await compile(compiler, { sources: quick, linkFlags }, output, scratch);
    addon = load<CudaAddon>(output);
  });
  after(() => rmSync(scratch, { recursive: true }));

  it('are named', () => {
    const names = addon.operations();
    assert.ok(names.includes('GnbenchNormalize') && names.includes('GnbenchSgd'));
    assert.ok(names.every((name) => name.startsWith('Gnbench')));
    assert.ok(!names.includes('GnbenchConv'), "convolutions are cuDNN's");
  });

  it('say that there is no driver, where there is none', () => {
    assert.throws(() => addon.provide('sgd', Buffer.from('x')), /NVIDIA's driver cannot be opened: libcuda/);
    assert.throws(() => addon.provide('sgd', 'x' as never), /takes a string and a Uint8Array/);
  });

  it('leave the CPU its own', () => {
    assert.ok('normalize' in kernels('kernels'));
    const inputs = [
      { shape: [2], data: Float32Array.of(-1, 2) },
      { shape: [0], data: new Float32Array(0) },
    ];
    const attributes = [type('T', 1), bools('has_residual', false)];
    assert.deepEqual(runOp('GnbenchRectify', attributes, inputs, 1)[0].data, Float32Array.of(0, 2));
  });
});
