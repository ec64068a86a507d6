import type { Config } from '../../config/schema.js';
import { EagerProgram } from '../eager.js';
import type { Program, VariableValue } from '../program.js';
import { CompiledProgram } from './compiled.js';

/** A program over these variables: one graph, unless it is to run operation by operation (then in float32, directly). */
export function createProgram(
  initial: Record<string, VariableValue>,
  { precision, engine: { convolutions } }: Pick<Config, 'precision' | 'engine'>,
  { eager }: { eager: boolean },
): Program {
  return eager ? new EagerProgram(initial) : new CompiledProgram(initial, { precision, convolutions });
}
