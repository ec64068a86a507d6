import { availableParallelism } from 'node:os';

/** TensorFlow's two pools: `intraOp` threads share one operation, `interOp` run operations side by side. */
export interface Threads {
  intraOp: number;
  interOp: number;
}

/** The cores that a run may use: its share of the machine when a sweep has given it one (`GNBENCH_THREADS`), else all. */
export function usableCores(): number {
  const share = Number(process.env.GNBENCH_THREADS);
  return Number.isInteger(share) && share > 0 ? share : availableParallelism();
}

/** The setting for one run with `cores` to itself. */
export function planThreads(batch: number, cores = usableCores()): Threads {
  return batch < 16 ? { intraOp: 1, interOp: cores } : { intraOp: cores, interOp: cores };
}
