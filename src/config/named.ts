/** Mappings of which a `name` says which keys they have; a bare name stands for the mapping with that name alone. */
import { z } from 'zod';

/** A name, and the other words that mean it. */
export const nameOrAlias = <const Name extends string>(name: Name, aliases: readonly string[]) =>
  z.literal([name, ...aliases]).transform((): Name => name);

/** The mapping that one of the branches describes, or its bare name. */
export function byName<
  const Branches extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]],
>(branches: Branches) {
  const mapping = z.discriminatedUnion('name', branches);
  const names = branches.flatMap((branch) => [...(branch._zod.propValues?.name ?? [])]) as string[];
  return z.union([z.enum(names).transform((name) => mapping.parse({ name })), mapping]);
}
