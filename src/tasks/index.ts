import type { Config } from '../config/schema.js';
import { classification } from './classification.js';
import type { Task } from './task.js';

export interface LoadedTask {
  task: Task;
  /** The address of the module that changes the data set's examples, where the task has one. */
  examples?: string;
}

/** The task that a configuration names. */
export async function loadTask({ optimizer }: Config): Promise<LoadedTask> {
  return { task: classification({ labelSmoothing: optimizer.labelSmoothing }) };
}
