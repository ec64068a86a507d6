/**
 * Groups of a model's variables that the optimizer treats alike: by part (`stage1`) and by role (`gamma`). Some are not
 * trained (`optimizer.frozen`), some at a rate of their own (`optimizer.rates`) or with another weight decay
 * (`optimizer.decay`).
 */
import type { Config } from '../config/schema.js';
import { didYouMean, UserError } from '../errors.js';
import type { Role, Variable } from '../nn/variable.js';
import { isInPart, partOf } from '../nn/variable.js';

type Optimizer = Pick<Config['optimizer'], 'frozen' | 'rates' | 'decay'>;

/** The roles that can be named: what the last word of a variable's name says. */
const roles: readonly string[] = ['weight', 'bias', 'gamma', 'beta'] satisfies Role[];

/** The role of the variable with this name; FRN's threshold τ is trained as a β. */
function roleOf(name: string): string {
  const word = name.slice(name.lastIndexOf('.') + 1);
  return word === 'tau' ? 'beta' : word;
}

const isIn = (group: string, name: string): boolean =>
  roles.includes(group) ? roleOf(name) === group : isInPart(group, name);

/** True when a variable keeps the value that it begins with. */
export const isFrozen = ({ frozen = [] }: Optimizer, name: string): boolean =>
  frozen.some((group) => isIn(group, name));

/** The variables that gradients are computed for. */
export const trainedVariables = (variables: readonly Variable[], optimizer: Optimizer): Variable[] =>
  variables.filter(({ role, fixed, name }) => role !== 'statistic' && !fixed && !isFrozen(optimizer, name));

/** The factor of a variable: that of the smallest part that it is in, times that of its role. */
function factorOf(factors: Record<string, number> = {}, name: string): number {
  const parts = Object.keys(factors).filter((group) => !roles.includes(group));
  const part = partOf(parts, name);
  return (part === undefined ? 1 : factors[part]) * (factors[roleOf(name)] ?? 1);
}

/** The factor of a variable's learning rate. */
export const rateFactor = ({ rates }: Optimizer, name: string): number => factorOf(rates, name);

/** The factor of a variable's weight decay. */
export const decayFactor = ({ decay }: Optimizer, name: string): number => factorOf(decay, name);

/** @throws UserError for a group that the model does not have, a factor for what is frozen, or when nothing is trained */
export function checkParameterGroups(
  { optimizer, normalizer }: Pick<Config, 'optimizer' | 'normalizer'>,
  variables: Variable[],
): void {
  const { frozen = [], rates = {}, decay = {} } = optimizer;
  for (const group of frozen) requireGroup(group, 'optimizer.frozen', variables);
  for (const part of Object.keys(normalizer.parts ?? {})) requireGroup(part, 'normalizer.parts', variables);
  for (const [key, factors] of Object.entries({ rates, decay })) {
    const place = `optimizer.${key}`;
    for (const group of Object.keys(factors)) {
      requireGroup(group, place, variables);
      if (trainedVariables(variables, optimizer).some(({ name }) => isIn(group, name))) continue;
      const what = key === 'rates' ? 'rate' : 'weight decay';
      const fix = 'drop it here, or unfreeze it in optimizer.frozen';
      throw new UserError(`${group} is frozen, and has no ${what}`, { place, fix });
    }
  }
  if (trainedVariables(variables, optimizer).length > 0) return;
  throw new UserError('every parameter is frozen', {
    place: 'optimizer.frozen',
    fix: 'leave at least the head out of it',
  });
}

function requireGroup(part: string, place: string, variables: Variable[]): void {
  if (variables.some(({ name }) => isIn(part, name))) return;
  const words = variables.map(({ name }) => name.split('.'));
  const every = new Set(words.flatMap((name) => name.map((_, last) => name.slice(0, last + 1).join('.'))));
  const near = didYouMean(part, [...every]);
  const outermost = [...new Set(words.map(([first]) => first))];
  throw new UserError(
    `the model has no part ${JSON.stringify(part)}${near === undefined ? '' : `; did you mean ${near}?`}`,
    { place, fix: `valid: ${outermost.join(', ')}, and what they consist of, such as ${variables[0].name}` },
  );
}
