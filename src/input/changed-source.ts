/** Examples whose targets a task's own module makes from those of a data set. */
import { UserError } from '../errors.js';
import { ragged, writeRagged } from './batch.js';
import { type ExampleSource, openSource as open, type SourceDescription } from './example-source.js';

/** A module of a task, and what it was told. */
export interface Changer {
  /** The module's address. It exports `examples(source, { options, ragged, writeRagged })`, which gives a source. */
  address: string;
  options: Record<string, unknown>;
}

/** The same examples as a task's module changes them; as they are, if it exports no `examples`. */
export async function changedBy(changer: Changer, inner: SourceDescription): Promise<SourceDescription> {
  const { resident: _, ...described } = inner;
  const write = () => {
    throw new Error('examples are only read where batches are prepared');
  };
  const changed = await change(changer, { ...described, write });
  if (!changed) return inner;
  const { count, views, spec, canvases = inner.canvases } = changed;
  if (canvases && canvases.length !== count) {
    throw new UserError(
      `its examples() gives ${count} of ${canvases.length} examples, whose images are on canvases of their own`,
      { place: 'task.module', fix: 'give all of them, or canvases of as many' },
    );
  }
  return {
    module: import.meta.url,
    options: { changer, inner: described },
    count,
    views,
    spec,
    canvases,
    // Annotations go with the examples one by one.
    truth: count === inner.count ? inner.truth : undefined,
  };
}

/** Opens a source that a module changes. */
export async function openSource(from: {
  changer: Changer;
  inner: SourceDescription;
}): Promise<ExampleSource> {
  const inner = await open(from.inner);
  return (await change(from.changer, inner)) ?? inner;
}

async function change(
  { address, options }: Changer,
  source: ExampleSource,
): Promise<ExampleSource | undefined> {
  const { examples } = await import(address);
  return examples?.(source, { options, ragged, writeRagged });
}
