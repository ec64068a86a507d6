import { CompiledProgram } from './compiled.js';
import { EagerProgram } from './eager.js';
import type { Program, VariableValue } from './program.js';

/** A program over these variables: one graph, unless it is to run operation by operation (then in float32). */
export function createProgram(
  initial: Record<string, VariableValue>,
  options: { eager: boolean; precision: 'float32' | 'bfloat16' },
): Program {
  return options.eager ? new EagerProgram(initial) : new CompiledProgram(initial, options);
}
