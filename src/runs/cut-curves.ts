import { join } from 'node:path';
import { readCurves } from './curves.js';
import type { Summary } from './summary.js';

/** The reason why a run that is said to be completed does not count, and the way out; undefined when its curve is whole. */
export function cutCurves(folder: string, summary: Summary): string | undefined {
  const { total } = summary.steps;
  const file = join(folder, 'curves.csv');
  const wayOut = 'restore the file, or delete the run’s folder and sweep again';
  try {
    const done = readCurves(file).at(-1);
    if (done && done.step >= total) return undefined;
    return `${file} ends at epoch ${done?.epoch ?? 0} of ${summary.epochs.total}: ${wayOut}`;
  } catch (error) {
    return `${file} cannot be read (${(error as Error).message}): ${wayOut}`;
  }
}
