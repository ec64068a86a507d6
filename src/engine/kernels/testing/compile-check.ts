/** Compiles a program that checks a part of the C++ without TensorFlow. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCompiler } from '../../install/compiler.js';

const kernels = fileURLToPath(new URL('../../../../src/engine/kernels', import.meta.url));

/** @returns the program that `source`, a file of this folder, was compiled to in the folder `scratch` */
export async function compileCheck(source: string, flags: string[], scratch: string): Promise<string> {
  const compiler = await findCompiler();
  assert.ok(compiler, 'there is no C++ compiler');
  const [command, ...leading] = compiler.command;
  const program = join(scratch, source.replace(/\.cc$/, ''));
  const args = [...leading, ...flags, `-I${kernels}`, join(kernels, 'testing', source), '-o', program];
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return program;
}
