/** How a variable starts. */
export type Initial =
  | { kind: 'constant'; value: number }
  /** N(0, std²), untruncated. */
  | { kind: 'normal'; std: number }
  /** Evenly between −limit and limit. */
  | { kind: 'uniform'; limit: number };

export type Role = 'weight' | 'bias' | 'gamma' | 'beta' | 'statistic';

export interface Variable {
  /** `stage1.block0.conv1.weight`: the layer's name and the variable's. */
  name: string;
  shape: number[];
  initial: Initial;
  /** Everything but a statistic is trained, unless it is fixed. */
  role: Role;
  /** It keeps the value that it begins with: pre-training's. */
  fixed?: true;
  /** A statistic of how far values spread; those without it are averaged over batches as they are. */
  spread?: Spread;
}

/** Over several batches, a spread takes in how far the batches' own values of another variable lie apart. */
export interface Spread {
  /** A deviation is the square root of a variance. */
  kind: 'variance' | 'deviation';
  /** The name of the variable that it is a spread around: the mean. */
  around: string;
}

/**
 * Parts of a model, named by the first words of variables' names: `stage1` is `stage1.block0.conv1.weight` too, and not
 * `stage10`.
 */
export const isInPart = (part: string, name: string): boolean => name === part || name.startsWith(`${part}.`);

/** The smallest of the parts that hold the variable or layer with this name. */
export const partOf = (parts: readonly string[], name: string): string | undefined =>
  parts
    .filter((part) => isInPart(part, name))
    .reduce<string | undefined>((a, b) => (a === undefined || b.length > a.length ? b : a), undefined);
