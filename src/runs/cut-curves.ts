import { join } from 'node:path';
import { readCurves } from './curves.js';
import type { Summary } from './summary.js';

/** The reason why a run that is said to be completed does not count, and the way out; undefined when its curve is whole. */
export function cutCurves(folder: string, summary: Summary): string | undefined {
  const { total } = summary.epochs;
  const file = join(folder, 'curves.csv');
  const wayOut = 'restore the file, or delete the run’s folder and sweep again';
  try {
    const done = readCurves(file).at(-1)?.epoch ?? 0;
    return done < total ? `${file} ends at epoch ${done} of ${total}: ${wayOut}` : undefined;
  } catch (error) {
    return `${file} cannot be read (${(error as Error).message}): ${wayOut}`;
  }
}
