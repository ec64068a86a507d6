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

/**
 * The setting for one run with `cores` to itself. With few images an operation is too short to be shared, but two of
 * them can run side by side (backward, a convolution's two gradients); from 8 on sharing each is faster.
 *
 * Measured, images/s, ResNet-20 with GN, float32, two cores of a Xeon with AMX (results/bench/threads.csv):
 *
 *   intra/inter    2    8   16   32   64  128
 *          1/2   600  690  748  735  746  732
 *          2/1   547  775  848  858  868  871
 *          2/2   371  486  469  855  881  876
 */
export function planThreads(batch: number, cores = usableCores()): Threads {
  return batch < 8 ? { intraOp: 1, interOp: cores } : { intraOp: cores, interOp: 1 };
}
