/** Examples that stay in files: a part of a list of them, as a split, and what is recorded of them. */
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { relabel } from './classes.js';
import type { Split } from './dataset.js';

export interface ListedFiles {
  /** Absolute. */
  root: string;
  /** Relative to `root`. */
  paths: string[];
  labels: Int32Array;
}

/** The files at these places of the list, in this order. */
export const selectFiles = <List extends ListedFiles>(list: List, indices: ArrayLike<number>): List => ({
  ...list,
  paths: Array.from(indices, (index) => list.paths[index]),
  labels: Int32Array.from(indices, (index) => list.labels[index]),
});

/** The files as a split, whose labels count the chosen classes alone. */
export function splitOfFiles({ root, paths, labels }: ListedFiles, classes: readonly number[]): Split {
  const shared = new Int32Array(new SharedArrayBuffer(labels.length * 4));
  shared.set(relabel(labels, classes));
  const images = new Uint8Array(new SharedArrayBuffer(0));
  return { count: paths.length, labels: shared, images, files: { root, paths } };
}

/** The checksum of the files' names. */
export const namesOfFiles = ({ paths }: ListedFiles): string =>
  createHash('sha256').update(paths.join('\n')).digest('hex');

/** `imagenet (1,281,167 training and 50,000 validation images)` */
export function describeFiles(
  { root }: ListedFiles,
  { train, validation }: { train: Split; validation: Split },
  unit: string,
): string {
  const count = (split: Split) => split.count.toLocaleString('en');
  return `${basename(dirname(root))} (${count(train)} training and ${count(validation)} validation ${unit})`;
}
