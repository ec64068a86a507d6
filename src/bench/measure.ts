/**
 * Measures one setting's training step in this process: a child of `gnbench bench`, since threads are fixed for a
 * process's life. Gets a setting as its argument, sends a row.
 */
import { parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { createProgram } from '../engine/create-program.js';
import { loadEngine } from '../engine/load.js';
import { planThreads } from '../engine/threads.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { initialize } from '../models/initialize.js';
import { defineTraining, type Network, withVelocities } from '../training/steps.js';
import type { BenchRow } from './row.js';

export interface Setting {
  /** A configuration as YAML. */
  config: string;
  eager: boolean;
  warmup: number;
  steps: number;
}

/** Pixels drawn once, so that the step alone is measured. */
const imageShape = [32, 32, 3];
const classes = 10;

async function measure({ config: text, eager, warmup, steps }: Setting): Promise<BenchRow> {
  const config = parseConfig(text, { file: 'bench' });
  const batch = config.batch.size * config.batch.workers;
  const planned = planThreads(batch);
  const threads = {
    intraOp: config.engine.intraOpThreads ?? planned.intraOp,
    interOp: config.engine.interOpThreads ?? planned.interOp,
  };
  const started = performance.now();
  await loadEngine({ variant: config.engine.variant, threads, quiet: true });
  const loadedAt = performance.now();
  const program = createProgram(initialValues(config), { eager, precision: config.precision });
  const trainOn = defineTraining(program, networkOf(config, eager));
  const images = {
    images: Uint8Array.from({ length: batch * 32 * 32 * 3 }, (_, index) => (index * 7919) % 256),
    labels: Int32Array.from({ length: batch }, (_, index) => index % classes),
  };
  trainOn(images, 0.001);
  const compiledAt = performance.now();

  const times: number[] = [];
  for (let step = 1; step < warmup + steps; step++) {
    const before = performance.now();
    trainOn(images, 0.001);
    if (step >= warmup) times.push(performance.now() - before);
  }
  times.sort((a, b) => a - b);
  const quantile = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  const median = quantile(0.5);
  return {
    model: config.model.name,
    normalizer: config.normalizer.name,
    batch: config.batch.size,
    workers: config.batch.workers,
    precision: config.precision,
    threads,
    imagesPerSecond: (1000 * batch) / median,
    stepMs: { median, q1: quantile(0.25), q3: quantile(0.75) },
    steps: times.length,
    loadSeconds: (loadedAt - started) / 1000,
    compileSeconds: (compiledAt - loadedAt) / 1000,
    peakMemoryMB: process.resourceUsage().maxRSS / 1024,
  };
}

const describe = (config: Config) =>
  describeModel(createModel(config.model, classes), config.normalizer, { shape: imageShape });

const initialValues = (config: Config) => {
  const { variables } = describe(config);
  return withVelocities(variables, initialize(variables, config.seed), config);
};

function networkOf(config: Config, eager: boolean): Network {
  const { variables } = describe(config);
  const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
  const model = createModel(config.model, classes);
  return { config, model, variables, shape: imageShape, pixels, fused: !eager };
}

const row = await measure(JSON.parse(process.argv[2]) as Setting);
process.stdout.write(`${JSON.stringify(row)}\n`);
