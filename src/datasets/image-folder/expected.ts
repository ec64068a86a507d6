/** `data.expect`: what a data set's folders are to hold, so that a run can be planned where they are not. */
import { UserError } from '../../errors.js';
import type { ImageFolderConfig } from '../schema.js';
import type { ImageList } from './list.js';

type Listed = Pick<ImageList, 'root' | 'classes' | 'paths'>;

/** @throws {UserError} for folders that hold something else */
export function asExpected(
  { expect }: Pick<ImageFolderConfig, 'expect'>,
  train: Listed,
  test: Listed,
  classes = train.classes.length,
): void {
  if (!expect) return;
  const found = { classes, train: train.paths.length, val: test.paths.length };
  for (const key of ['classes', 'train', 'val'] as const) {
    if (found[key] === expect[key]) continue;
    throw new UserError(`expected ${expect[key]}, found ${found[key]}`, {
      place: `data.expect.${key}: ${key === 'val' ? test.root : train.root}`,
      fix: 'complete the data set, or change data.expect',
    });
  }
}
