/**
 * The numbers that a run keeps beside each variable of its network, under names of their own: SGD's velocity, a
 * gradient's sum over micro-steps, a running average.
 */
import type { Config } from '../config/schema.js';
import type { VariableValue } from '../engine/program.js';
import { trainedVariables } from '../models/parameter-groups.js';
import type { Variable } from '../nn/variable.js';

export const velocityOf = (name: string) => `${name}.velocity`;
export const sumOf = (name: string) => `${name}.sum`;
export const averageOf = (name: string) => `${name}.average`;

export interface SlotOptions {
  /** Micro-steps of a step. */
  parts?: number;
  averaged?: boolean;
  /** Frozen variables have neither velocity nor sum. */
  optimizer?: Pick<Config['optimizer'], 'frozen'>;
}

/**
 * All variables of a run: the network's, SGD's velocities and, for micro-steps, the gradients' sums, which start at 0;
 * and, where they are asked for, running averages, which start as the variables themselves.
 */
export function withOptimizerSlots(
  variables: Variable[],
  values: Record<string, VariableValue>,
  { parts = 1, averaged = false, optimizer = {} }: SlotOptions = {},
): Record<string, VariableValue> {
  const slots = trainedVariables(variables, optimizer).flatMap(({ name, shape }) => {
    const zeros = () => ({
      shape,
      data: new Float32Array(shape.reduce((product, length) => product * length, 1)),
    });
    const velocity = [velocityOf(name), zeros()] as const;
    return parts > 1 ? [velocity, [sumOf(name), zeros()] as const] : [velocity];
  });
  const averages = averaged ? variables.map(({ name }) => [averageOf(name), values[name]] as const) : [];
  return { ...values, ...Object.fromEntries([...slots, ...averages]) };
}
