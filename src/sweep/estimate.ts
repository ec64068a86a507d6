import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Cell } from '../experiments/cells.js';
import type { Experiment } from '../experiments/experiment.js';
import { planCell } from '../experiments/plan.js';
import { readCurves } from '../runs/curves.js';
import { median } from '../runs/statistics.js';
import { summaryOf } from '../runs/summary.js';

/** How long one run of a cell takes, in seconds, and how that is known. */
export interface TimeEstimate {
  seconds: number;
  from: 'runs of this cell' | 'a default';
}

/**
 * Images a second in training by images a step: ResNet-20 with GN on two cores of an AVX-512 machine, with bfloat16
 * units (results/bench/threads.csv). Other models are scaled by their multiply-adds.
 */
const defaultSpeeds: Record<
  Exclude<Config['precision'], 'tf32'>,
  readonly (readonly [images: number, perSecond: number])[]
> = {
  float32: [
    [2, 680],
    [8, 691],
    [32, 806],
  ],
  bfloat16: [
    [2, 769],
    [8, 1174],
    [32, 1344],
    [128, 1479],
  ],
};
const defaultCores = 2;
const defaultFlops = 40.9e6;
/** Validation is a forward pass alone. */
const evaluationSpeedup = 3;

export interface EstimateOptions {
  /** How many runs share the machine. */
  jobs: number;
  cores: number;
  /** `--data` */
  data?: string;
}

export function estimateRun(
  experiment: Experiment,
  cell: Cell,
  { jobs, cores, data }: EstimateOptions,
): TimeEstimate {
  const finished = experiment.seeds.flatMap((seed) => secondsOf(experiment.runFolder(cell, seed)) ?? []);
  if (finished.length > 0) {
    return {
      seconds: finished.reduce((sum, seconds) => sum + seconds, 0) / finished.length,
      from: 'runs of this cell',
    };
  }
  const plan = planCell(cell.config, data);
  const images = plan.trained + plan.evaluated / evaluationSpeedup;
  const speed =
    (defaultSpeed(cell.config.precision, plan.imagesPerStep) * defaultFlops * cores) /
    (plan.flops * defaultCores);
  return { seconds: (images / speed) * jobs, from: 'a default' };
}

/** Seconds until runs of such lengths are done, `jobs` at a time: no sooner than the longest. */
export function sideBySide(seconds: readonly number[], jobs: number): number {
  return Math.max(0, ...seconds, seconds.reduce((sum, each) => sum + each, 0) / jobs);
}

/**
 * The time of a completed run: that of its median row times their number, since it may have been paused or have shared its
 * cores.
 */
function secondsOf(folder: string): number | undefined {
  const summary = summaryOf(folder);
  if (summary?.status !== 'completed') return undefined;
  try {
    const rows = readCurves(join(folder, 'curves.csv'));
    const lengths = rows.map(({ seconds }, index) => seconds - (rows[index - 1]?.seconds ?? 0));
    if (lengths.length > 0) return median(lengths) * lengths.length;
  } catch {} // an estimate is no place to say what is wrong with a log
  return summary.secondsTotal;
}

/** Linear in the logarithm of the images a step; flat beyond the table's ends. */
function defaultSpeed(precision: Config['precision'], images: number): number {
  const speeds = defaultSpeeds[precision === 'tf32' ? 'float32' : precision];
  const above = speeds.findIndex(([size]) => size >= images);
  if (above <= 0) return speeds.at(above)![1];
  const [[x0, y0], [x1, y1]] = [speeds[above - 1], speeds[above]];
  return y0 + ((y1 - y0) * Math.log(images / x0)) / Math.log(x1 / x0);
}
