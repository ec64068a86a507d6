import { UserError } from '../errors.js';
import { loggedNames } from './metric.js';
import type { Task } from './task.js';

const nameForm = /^[a-z][A-Za-z0-9]*$/;
/** Names that a step is fed under besides. */
const reserved = ['images', 'rate', 'dropoutSeed', 'seed'];

/**
 * A task that came from outside, as far as can be told before it is used.
 *
 * @param module what errors call it
 * @throws {UserError} for the first thing that is wrong
 */
export function checkTask(task: Task, module: string): Task {
  const problem = problemOf(task);
  if (!problem) return task;
  throw new UserError(`the task of ${module} ${problem}`, { place: 'task.module' });
}

function problemOf(task: Task): string | undefined {
  for (const key of ['training', 'predictions', 'evaluator'] as const) {
    if (typeof task[key] !== 'function') return `has no function ${key}`;
  }
  if (task.head !== undefined && typeof task.head !== 'function') return 'has a head that is not a function';
  const { targets, metrics } = task;
  if (typeof targets !== 'object' || targets === null) return 'has no targets';
  const wrong = Object.entries(targets).find(
    ([name, array]) =>
      reserved.includes(name) ||
      !Array.isArray(array?.shape) ||
      !['uint8', 'int32', 'float32'].includes(array.dtype),
  );
  if (wrong)
    return `has the target ${wrong[0]}, which needs a name of its own, a shape, and uint8, int32 or float32`;
  if (!Array.isArray(metrics) || metrics.length === 0) return 'has no metrics';
  const bad = metrics.find(
    ({ name, unit, better, aboutEqual }) =>
      !nameForm.test(name) ||
      name === 'loss' ||
      !['%', 'points', 'nats', ''].includes(unit) ||
      !['lower', 'higher'].includes(better) ||
      !(aboutEqual >= 0),
  );
  if (bad)
    return `has the metric ${JSON.stringify(bad)}: it needs a name, unit (%, points, nats or none), better and aboutEqual`;
  const names = loggedNames(task);
  const odd = names.find(
    (name, index) => !nameForm.test(name) || name === 'loss' || names.indexOf(name) < index,
  );
  return odd === undefined ? undefined : `logs ${JSON.stringify(odd)}, which is no name, or is there twice`;
}
