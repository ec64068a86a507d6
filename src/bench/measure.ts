/**
 * Measures one setting's training step in this process: a child of `gnbench bench`, since threads are fixed for a
 * process's life. Gets a setting as its argument, sends a row.
 */
import { parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { knownSizes } from '../datasets/known-sizes.js';
import { CompiledProgram } from '../engine/graph/compiled.js';
import { kernels } from '../engine/kernel-table.js';
import { loadEngine, loaded } from '../engine/load.js';
import type { Program } from '../engine/program.js';
import { planThreads } from '../engine/threads.js';
import { UserError } from '../errors.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { initialize } from '../nn/initialize.js';
import { classification } from '../tasks/classification.js';
import type { Network } from '../training/network.js';
import { openForTraining } from '../training/open-network.js';
import { measurePeaks } from './peaks.js';
import { type ProfileRow, profileRows } from './profile.js';
import type { BenchRow } from './row.js';

export interface BenchSetting {
  /** A configuration as YAML. */
  config: string;
  eager: boolean;
  warmup: number;
  steps: number;
  /** Also where a step's time goes. */
  profile: boolean;
}

async function measure({ config: text, eager, warmup, steps, profile }: BenchSetting): Promise<BenchRow> {
  const config = parseConfig(text, { file: 'bench' });
  const batch = config.batch.size * config.batch.workers;
  const threads = planThreads(config, batch);
  const started = performance.now();
  const { precision, engine } = config;
  await loadEngine({ variant: engine.variant, precision, compiler: engine.compiler, threads, quiet: true });
  const loadedAt = performance.now();
  if (profile) requireTimedOperations();
  const { classes, parameters, ...network } = networkOf(config, eager);
  const parts = config.batch.microSteps === 'auto' ? 1 : config.batch.microSteps;
  const values = initialize(network.variables, config.seed);
  const { program, trainOn } = await openForTraining(network, values, undefined, { eager, parts });
  const start = { step: 0, fractionDone: 0 };
  const pixels = network.shape.reduce((product, size) => product * size);
  // Pixels are drawn once, so that the step alone is measured.
  const images = {
    images: Uint8Array.from({ length: batch * pixels }, (_, index) => (index * 7919) % 256),
    labels: Int32Array.from({ length: batch }, (_, index) => index % classes),
  };
  trainOn(images, 0.001, start);
  const compiledAt = performance.now();

  const step = () => {
    const before = performance.now();
    trainOn(images, 0.001, start);
    return performance.now() - before;
  };
  repeat(step, warmup);
  const times = repeat(step, steps);
  times.sort((a, b) => a - b);
  const quantile = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  const median = quantile(0.5);
  return {
    model: config.model.name,
    resolution: network.shape.at(-2)!,
    classes,
    parameters,
    normalizer: config.normalizer.name,
    batch: config.batch.size,
    workers: config.batch.workers,
    precision: config.precision,
    convolutions: config.engine.convolutions,
    threads,
    imagesPerSecond: (1000 * batch) / median,
    stepMs: { median, q1: quantile(0.25), q3: quantile(0.75) },
    steps: times.length,
    loadSeconds: (loadedAt - started) / 1000,
    compileSeconds: (compiledAt - loadedAt) / 1000,
    peakMemoryMB: process.resourceUsage().maxRSS / 1024,
    ...(profile && { profile: profileOf(program, step, config) }),
  };
}

/** A GPU is only given its work by an operation, and what XLA compiles is no operation any more. */
function requireTimedOperations(): void {
  if (loaded.device === 'CPU' && !loaded.xla) return;
  throw new UserError('--profile times operations on the CPU, without XLA', {
    fix: 'leave it out, or add --set engine.variant=cpu --set engine.compiler=none',
    exitCode: 1,
  });
}

/** Steps are timed once more, as the clock of each operation costs something. */
function profileOf(program: Program, step: () => number, { precision }: Config): ProfileRow[] {
  const timeOperations = loaded.addon?.timeOperations;
  if (!(program instanceof CompiledProgram) || !timeOperations) {
    throw new UserError("--profile needs gnbench's own operations, compiled into one graph", {
      fix: 'leave out --eager; npx gnbench doctor says whether the operations are there',
      exitCode: 1,
    });
  }
  const low = precision === 'bfloat16';
  const peaks = measurePeaks(low);
  timeOperations(true);
  const times = repeat(step, 10);
  const measured = timeOperations(false);
  const stepMs = times.reduce((sum, each) => sum + each, 0) / times.length;
  const bytesPerNumber = low ? 2 : 4;
  return profileRows(program.nodes, measured, { steps: times.length, stepMs, peaks, bytesPerNumber });
}

/** Steps that take 3 ms each are over before a core is at its pace: both the warm-up and the rest last a second. */
function repeat(step: () => number, least: number): number[] {
  const times: number[] = [];
  for (const end = performance.now() + 1000; times.length < least || performance.now() < end; )
    times.push(step());
  return times;
}

function networkOf(config: Config, eager: boolean): Network & { classes: number; parameters: number } {
  const { shape, classes } = knownSizes(config.data);
  const model = createModel(config.model, classes);
  const { variables, parameters } = describeModel(model, config.normalizer, { shape });
  const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
  const task = classification({ labelSmoothing: config.optimizer.labelSmoothing });
  return {
    config,
    model,
    task,
    variables,
    shape,
    pixels,
    kernels: kernels(eager ? 'definitions' : 'kernels'),
    classes,
    parameters,
  };
}

const row = await measure(JSON.parse(process.argv[2]) as BenchSetting);
process.stdout.write(`${JSON.stringify(row)}\n`);
