/** The numbers of a detector's run beyond its curves: `average-precision.json` in its folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstanceScores } from '../coco/score-instances.js';

/** By boxes, and by masks if the detector has them. A number that no object counts for is a string that says so. */
export type RunScores = Partial<
  Record<'box' | 'mask', Pick<InstanceScores, 'perCategory' | 'precisionAt50'> & Record<string, unknown>>
>;

/** Undefined where there is no such file, or it cannot be read. */
export function readScores(folder: string): RunScores | undefined {
  const file = join(folder, 'average-precision.json');
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
