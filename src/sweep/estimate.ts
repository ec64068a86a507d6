import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Cell, Experiment } from './experiment.js';
import { summaryOf } from './outcome.js';
import { type Plan, planCell } from './plan.js';

/** How long one run of a cell takes, in seconds, and how that is known. */
export interface Estimate {
  seconds: number;
  from: 'runs of this cell' | 'results/bench' | 'a default';
}

/**
 * Images a second in training by images a step: ResNet-20 with GN, float32, on two cores of an AVX-512 machine
 * (results/bench/threads.csv). Other models are scaled by their multiply-adds.
 */
const defaultSpeeds: readonly (readonly [images: number, perSecond: number])[] = [
  [2, 680],
  [8, 691],
  [32, 806],
];
const defaultCores = 2;
const defaultFlops = 40.9e6;
/** Validation is a forward pass alone. */
const evaluationSpeedup = 3;

const benchRow = z.object({
  normalizer: z.string(),
  batch: z.number().positive(),
  workers: z.number().positive().default(1),
  precision: z.string().default('float32'),
  convolutions: z.string().default('direct'),
  model: z.string().optional(),
  imagesPerSecond: z.number().positive(),
});
type BenchRow = z.output<typeof benchRow>;

export interface EstimateOptions {
  /** How many runs share the machine. */
  jobs: number;
  cores: number;
  /** `--data` */
  data?: string;
  bench?: readonly BenchRow[];
}

export function estimateRun(
  experiment: Experiment,
  cell: Cell,
  { jobs, cores, data, bench = readBench() }: EstimateOptions,
): Estimate {
  const finished = experiment.seeds
    .map((seed) => summaryOf(experiment.runFolder(cell, seed)))
    .filter((summary) => summary?.status === 'completed')
    .map((summary) => summary!.secondsTotal);
  if (finished.length > 0) {
    return {
      seconds: finished.reduce((sum, seconds) => sum + seconds, 0) / finished.length,
      from: 'runs of this cell',
    };
  }
  const plan = planCell(cell.config, data);
  const images = plan.trained + plan.evaluated / evaluationSpeedup;
  const measured = measuredSpeed(cell, plan, bench);
  if (measured !== undefined) return { seconds: (images / measured) * jobs, from: 'results/bench' };
  const speed = (defaultSpeed(plan.imagesPerStep) * defaultFlops * cores) / (plan.flops * defaultCores);
  return { seconds: (images / speed) * jobs, from: 'a default' };
}

/** Linear in the logarithm of the images a step; flat beyond the table's ends. */
function defaultSpeed(images: number): number {
  const above = defaultSpeeds.findIndex(([size]) => size >= images);
  if (above <= 0) return defaultSpeeds.at(above)![1];
  const [[x0, y0], [x1, y1]] = [defaultSpeeds[above - 1], defaultSpeeds[above]];
  return y0 + ((y1 - y0) * Math.log(images / x0)) / Math.log(x1 / x0);
}

function measuredSpeed({ config }: Cell, plan: Plan, bench: readonly BenchRow[]): number | undefined {
  const shortNames: Record<string, string> = { batch: 'bn', group: 'gn', layer: 'ln', instance: 'in' };
  const short = shortNames[config.normalizer.name];
  return bench.find(
    (row) =>
      (row.normalizer === config.normalizer.name || row.normalizer === short) &&
      row.batch * row.workers === plan.imagesPerStep &&
      row.precision === config.precision &&
      row.convolutions === config.engine.convolutions &&
      (row.model ?? 'resnet20') === config.model.name,
  )?.imagesPerSecond;
}

/** The rows that `gnbench bench` has left in a folder; files of other shapes are none of its. */
export function readBench(folder = join('results', 'bench')): BenchRow[] {
  let files: string[];
  try {
    files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  } catch {
    return [];
  }
  return files.flatMap((file) => {
    try {
      return z.array(benchRow).parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
    } catch {
      return [];
    }
  });
}
