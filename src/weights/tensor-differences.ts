import { listUpTo } from '../terminal/words.js';

/** How the tensors of a file differ from those that a model needs: names and shapes, all at once. */
export interface TensorDifferences {
  missing: string[];
  misshapen: string[];
  extra: string[];
  /** All of it in one sentence, each kind up to 20 names; empty when there is none. */
  text: string;
}

interface Shaped {
  shape: readonly number[];
}

/** @param passedOver extra tensors that don't matter */
export function tensorDifferences(
  found: Record<string, Shaped>,
  wanted: readonly (Shaped & { name: string })[],
  passedOver: (name: string) => boolean = () => false,
): TensorDifferences {
  const known = new Set(wanted.map(({ name }) => name));
  const missing = wanted.filter(({ name }) => !Object.hasOwn(found, name));
  const misshapen = wanted.filter(
    ({ name, shape }) => Object.hasOwn(found, name) && found[name].shape.join() !== shape.join(),
  );
  const extra = Object.keys(found).filter((name) => !known.has(name) && !passedOver(name));
  const kinds = [
    ['missing', missing.map(({ name }) => name)],
    [
      'of another shape',
      misshapen.map(({ name, shape }) => `${name} [${found[name].shape}] instead of [${shape}]`),
    ],
    ['extra', extra.map((name) => JSON.stringify(name.slice(0, 100)))],
  ] as const;
  return {
    missing: missing.map(({ name }) => name),
    misshapen: misshapen.map(({ name }) => name),
    extra,
    text: kinds
      .flatMap(([kind, items]) => (items.length > 0 ? [`${kind}: ${listUpTo(items)}`] : []))
      .join('; '),
  };
}
