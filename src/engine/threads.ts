import { availableParallelism } from 'node:os';

/** TensorFlow's two pools: `intraOp` threads share one operation, `interOp` run operations side by side. */
export interface Threads {
  intraOp: number;
  interOp: number;
}

/** The setting for one run with the machine to itself. */
export function planThreads(batch: number, cores = availableParallelism()): Threads {
  return batch < 16 ? { intraOp: 1, interOp: cores } : { intraOp: cores, interOp: cores };
}
