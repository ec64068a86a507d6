/**
 * Parts of a model, named by the first words of variables' names: `stage1` is `stage1.block0.conv1.weight` too, and not
 * `stage10`. Some are not trained (`optimizer.frozen`), some at a rate of their own (`optimizer.rates`).
 */
import type { Config } from '../config/schema.js';
import { didYouMean, UserError } from '../errors.js';
import type { Variable } from '../nn/net.js';

type Optimizer = Pick<Config['optimizer'], 'frozen' | 'rates'>;

const isIn = (part: string, name: string) => name === part || name.startsWith(`${part}.`);

/** True when a variable keeps the value that it begins with. */
export const isFrozen = ({ frozen = [] }: Optimizer, name: string): boolean =>
  frozen.some((part) => isIn(part, name));

/** The variables that gradients are computed for. */
export const trainedVariables = (variables: readonly Variable[], optimizer: Optimizer): Variable[] =>
  variables.filter(({ role, name }) => role !== 'statistic' && !isFrozen(optimizer, name));

/** The factor of a variable's rate: the one given for the smallest part that it is in. */
export function rateFactor({ rates = {} }: Optimizer, name: string): number {
  const parts = Object.keys(rates).filter((part) => isIn(part, name));
  return parts.length === 0 ? 1 : rates[parts.reduce((a, b) => (b.length > a.length ? b : a))];
}

/** @throws UserError for a part that the model has not, a rate for what is frozen, or when nothing is left to train */
export function checkParameterGroups({ optimizer }: Pick<Config, 'optimizer'>, variables: Variable[]): void {
  const { frozen = [], rates = {} } = optimizer;
  for (const part of frozen) requirePart(part, 'optimizer.frozen', variables);
  for (const part of Object.keys(rates)) {
    requirePart(part, 'optimizer.rates', variables);
    if (trainedVariables(variables, optimizer).some(({ name }) => isIn(part, name))) continue;
    throw new UserError(`${part} is frozen, and has no rate`, {
      place: 'optimizer.rates',
      fix: `drop it here, or thaw it in optimizer.frozen`,
    });
  }
  if (trainedVariables(variables, optimizer).length > 0) return;
  throw new UserError('nothing is left to be trained', {
    place: 'optimizer.frozen',
    fix: 'leave at least the head out of it',
  });
}

function requirePart(part: string, place: string, variables: Variable[]): void {
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
