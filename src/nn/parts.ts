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
