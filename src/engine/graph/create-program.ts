import { EagerProgram } from '../eager.js';
import { kernels } from '../kernel-table.js';
import { loaded } from '../load.js';
import type { Program, VariableValue } from '../program.js';
import { CompiledProgram, type GraphOptions } from './compiled.js';

/**
 * A program over these variables: one graph; or, `eager`, operation by operation, by the definitions alone and in
 * float32.
 */
export function createProgram(
  initial: Record<string, VariableValue>,
  options: Pick<GraphOptions, 'precision' | 'convolutions'>,
  { eager }: { eager: boolean },
): Program {
  if (eager) return new EagerProgram(initial);
  return new CompiledProgram(initial, { ...options, kernels: kernels('kernels'), xla: loaded.xla });
}
