/** Examples whose targets a task's own module makes from those of a data set. */
import { type ExampleSource, openSource as open, type SourceDescription } from './example-source.js';

/**
 * The same examples as a task's module changes them: `export function examples(source) { … }` gives a source with other
 * targets.
 *
 * @param address the module's
 */
export async function changedBy(address: string, inner: SourceDescription): Promise<SourceDescription> {
  const { examples } = await import(address);
  if (!examples) return inner;
  const unread = () => {
    throw new Error('examples are only read where batches are prepared');
  };
  const { count, views, spec } = examples({ ...inner, write: unread }) as ExampleSource;
  return {
    module: import.meta.url,
    options: { address, inner },
    count,
    views,
    spec,
  };
}

/** Opens a source that the module at `address` changes. */
export async function openSource({
  address,
  inner,
}: {
  address: string;
  inner: SourceDescription;
}): Promise<ExampleSource> {
  const { examples } = await import(address);
  return examples(await open(inner));
}
