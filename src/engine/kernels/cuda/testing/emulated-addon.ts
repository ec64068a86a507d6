/** Builds the operations for a GPU with their kernels emulated on the CPU (emulation.h), and registers them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { load } from '../../../cuda-kernels.js';
import { cudaAddon } from '../../../install/addon.js';
import { compile, findCompiler } from '../../../install/compiler.js';
import { tensorflowVersion } from '../../../install/wheels.js';

export interface EmulatedAddon {
  /** How many kernels were launched. */
  launches(): number;
}

/** From now on, in this process, these come before the CPU's own kernels. */
export async function emulateGpu(scratch: string): Promise<EmulatedAddon> {
  const compiler = await findCompiler();
  assert.ok(compiler, 'there is no C++ compiler');
  const library = `tensorflow-${tensorflowVersion}-cpu-${process.platform}-${process.arch}`;
  const { sources, linkFlags } = await cudaAddon({ name: library, wheel: '' });
  // Without optimization it compiles fastest, and is slow to run: most of the time goes into TensorFlow's headers.
  const emulated = sources.map(({ path, flags }) => ({
    path,
    flags: [...flags, '-O1', '-DGNBENCH_EMULATED'],
  }));
  const output = join(scratch, 'emulated.node');
  await compile(compiler, { sources: emulated, linkFlags }, output, scratch);
  return load<EmulatedAddon>(output);
}
