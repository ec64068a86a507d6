import { availableParallelism } from 'node:os';
import type { Precision } from './data-type.js';

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
 * The threads of a run that has `cores` to itself and computes `images` a step: what its configuration sets, else each
 * operation shared by all cores. Only bfloat16 with two or three images has operations so short that running two of
 * them side by side (backward, a convolution's two gradients) is faster than sharing each.
 *
 * Measured, images/s, ResNet-20 with GN, two cores of an EPYC with AVX-512 (results/bench/threads.csv, made by
 * experiments/threads.mjs):
 *
 *  (intra/inter)         2     3     4     8    32   128
 *   float32    1/2         548   542   413   556   589   544
 *              2/1         680   614   681   691   806   752
 *              2/2         563   569   592   691   713   709
 *   bfloat16   1/2         769   720   749   940  1125  1163
 *              2/1         635   642   840  1174  1344  1479
 *              2/2         655   687   606  1089  1353  1384
 */
export function planThreads(
  {
    engine,
    precision,
  }: {
    engine: Partial<Record<'intraOpThreads' | 'interOpThreads', number>>;
    precision: Precision;
  },
  images: number,
  cores = usableCores(),
): Threads {
  const sideBySide = precision === 'bfloat16' && images < 4;
  return {
    intraOp: engine.intraOpThreads ?? (sideBySide ? 1 : cores),
    interOp: engine.interOpThreads ?? (sideBySide ? cores : 1),
  };
}
