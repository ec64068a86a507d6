import { parse } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config } from '../config/schema.js';
import { isOverClips } from '../config/schema-model.js';
import { hashOf } from '../config/task-module.js';
import { UserError } from '../errors.js';
import type { Changer } from '../input/changed-source.js';
import { isDetector } from '../models/detection/settings.js';
import type { Head } from '../nn/net.js';
import { checkTask } from './check-task.js';
import { classification } from './classification.js';
import { detection } from './detection/task.js';
import type { Task } from './task.js';

export interface LoadedTask {
  task: Task;
  /** The module that may change the data set's examples, where the task is one of the user's own. */
  examples?: Changer;
}

/**
 * The task that a configuration names. A module's default export is a function of `{ config, options }` that gives the
 * task.
 *
 * @throws {UserError} for a module that is not there, no longer what it was, or no task
 */
export async function loadTask(config: Config): Promise<LoadedTask> {
  const { task: named, optimizer } = config;
  if (!named) {
    const task = isDetector(config.model)
      ? detection(config.model, config.data)
      : classification({
          labelSmoothing: optimizer.labelSmoothing,
          keepAnswers: isOverClips(config.model.name),
        });
    return { task };
  }
  const { module, sha256, options } = named;
  const place = 'task.module';
  if (hashOf(module, place) !== sha256) {
    throw new UserError(`the module ${module} is no longer what it was when the run was written down`, {
      place,
      fix: 'put the former module back, or begin another run with the new one',
    });
  }
  const address = pathToFileURL(module).href;
  const make = await importFrom(address, module);
  const made = {
    name: parse(module).name,
    logged: { losses: [], counts: [] },
    ...(await make({ config, options })),
  };
  return { task: checkTask(made, module), examples: { address, options } };
}

/** The layers that the task puts behind the model, if any. */
export const headOf = async (config: Config): Promise<Head | undefined> => (await loadTask(config)).task.head;

async function importFrom(address: string, module: string) {
  try {
    const { default: make } = await import(address);
    if (typeof make === 'function') return make;
  } catch (cause) {
    throw new UserError(`the module ${module} cannot be loaded: ${(cause as Error).message}`, {
      place: 'task.module',
      fix: 'it has to be an ES module',
      cause,
    });
  }
  throw new UserError(`the module ${module} has no default export that makes a task`, {
    place: 'task.module',
    fix: 'export default ({ config, options }) => ({ targets, metrics, training, predictions, evaluator })',
  });
}
