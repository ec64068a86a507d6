import { dirname, resolve } from 'node:path';
import { Document, isMap, isSeq, visit } from 'yaml';
import type { Config } from './schema.js';
import { modulePathFrom } from './task-module.js';

/**
 * A configuration as YAML, a line a key of the outermost mapping; reading it gives the same configuration.
 *
 * @param file where it is to lie, which the path of a task's module is relative to
 */
export function printConfig(config: Config, file = 'config.yaml'): string {
  const { task } = config;
  const module = task && modulePathFrom(dirname(resolve(file)), resolve(task.module));
  const printed = task ? { ...config, task: { ...task, module } } : config;
  const document = new Document(printed, { aliasDuplicateObjects: false });
  visit(document, {
    Pair(_, { value }) {
      if (isMap(value) || isSeq(value)) value.flow = true;
    },
    Scalar(_, scalar) {
      const { value } = scalar;
      if (typeof value === 'number' && value > 0 && value < 1e-3) scalar.format = 'EXP'; // 1e-5, not 0.00001
    },
  });
  return document.toString({ lineWidth: 0 });
}
