/**
 * `data.classes`: a few of a data set's classes, as labels of their own. Two choices that have no class in common are
 * two tasks, such as pre-training and fine-tuning need.
 */

import { didYouMean, UserError } from '../errors.js';
import { listUpTo } from '../terminal/words.js';

/** The classes that the labels of a data set stand for. */
export interface ClassList {
  count: number;
  /** The names of the classes in the order of their labels, if they have names. */
  names?: readonly string[];
}

/**
 * The labels that `classes` names, in its order; all of them when it is left out.
 *
 * @param classes labels or names
 * @throws {UserError} for a class that there is none of, or that is named twice
 */
export function chosenClasses(
  classes: readonly (number | string)[] | undefined,
  known: ClassList,
): readonly number[] {
  if (!classes) return Array.from({ length: known.count }, (_, label) => label);
  const labels = classes.map((wanted) => labelOf(wanted, known));
  const twice = classes.find((_, index) => labels.indexOf(labels[index]) < index);
  if (twice === undefined) return labels;
  throw new UserError(`${JSON.stringify(twice)} is a class that is named twice`, {
    place: 'data.classes',
    fix: 'name each class once',
  });
}

function labelOf(wanted: number | string, { count, names = [] }: ClassList): number {
  if (typeof wanted === 'number') refuseAmbiguous(wanted, names);
  const label = typeof wanted === 'number' ? wanted : names.indexOf(wanted.normalize());
  if (label >= 0 && label < count) return label;
  const near = typeof wanted === 'string' ? didYouMean(wanted, names) : undefined;
  const listed = names.length > 0 ? `, or ${listUpTo(names)}` : '';
  throw new UserError(
    `${JSON.stringify(wanted)} is not a class of this dataset${near === undefined ? '' : `; did you mean ${near}?`}`,
    { place: 'data.classes', fix: `valid: 0 to ${count - 1}${listed}` },
  );
}

/** @throws {UserError} for a number that is also a class's name, but not that class's number: which one is meant? */
function refuseAmbiguous(wanted: number, names: readonly string[]): void {
  const named = names.findIndex((name) => /^\d+$/.test(name) && Number(name) === wanted);
  if (named < 0 || named === wanted) return;
  const counted =
    names[wanted] === undefined
      ? `there is no class number ${wanted}`
      : `number ${wanted} is called "${names[wanted]}"`;
  throw new UserError(
    `${wanted} is ambiguous: the class called "${names[named]}" has the number ${named}, and ${counted}`,
    { place: 'data.classes', fix: `write names in quotes: "${names[named]}"` },
  );
}

/** The names of the chosen classes, in the order of their labels; undefined where classes have none. */
export const namesOfClasses = (chosen: readonly number[], { names }: ClassList): string[] | undefined =>
  names && chosen.map((label) => names[label]);

/** Each label as its place in `chosen`; −1 for those that are not in it. */
export function relabel(labels: ArrayLike<number>, chosen: readonly number[]): Int32Array {
  const places = new Map(chosen.map((label, place) => [label, place]));
  return Int32Array.from(labels, (label) => places.get(label) ?? -1);
}
